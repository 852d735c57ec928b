//! The command's journal, in a file or in a database: the only place that knows there are two.

use std::ops::{Deref, DerefMut};
use std::time::SystemTime;

use capture_core::OrderId;
use capture_journal::{Journal, Lists, Lost, Story, Turn, Turned, Wake};
use capture_postgres::Postgres;
use capture_sqlite::Sqlite;

#[allow(clippy::large_enum_variant, reason = "a few values exist")]
pub(crate) enum Store {
    File(Sqlite),
    Database(Postgres),
}

impl Store {
    /// When an older copy was found in its place.
    pub(crate) fn restored_at(&self) -> Option<SystemTime> {
        match self {
            Self::File(file) => file.restored_at(),
            Self::Database(_) => None,
        }
    }
}

impl Deref for Store {
    type Target = dyn Lists;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::File(file) => file,
            Self::Database(database) => database,
        }
    }
}

impl DerefMut for Store {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::File(file) => file,
            Self::Database(database) => database,
        }
    }
}

impl Journal for Store {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        (**self).turn(turn)
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        (**self).stories(order)
    }

    fn wake(&self) -> Wake {
        (**self).wake()
    }
}
