//! x
pub(crate) async fn cost(_: &crate::Wanted) -> Result<(), crate::Failed> {
    todo!()
}
