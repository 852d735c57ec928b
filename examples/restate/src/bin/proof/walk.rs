//! x
pub(crate) fn walk() -> Result<(), crate::Failed> {
    todo!()
}
