//! Every statement, prepared once for each connection.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::time::SystemTime;

use postgres::types::ToSql;
use postgres::{Error, Row, Statement, Transaction};

use crate::clock::Clock;
use crate::fault::Fault;

/// So many rows are in memory at once.
pub(crate) const PAGE: i32 = 1000;

/// What has been prepared on a connection.
#[derive(Default)]
pub(crate) struct Statements(BTreeMap<&'static str, Statement>);

/// A transaction that prepares what it has not prepared before.
pub(crate) struct Sql<'s, 't> {
    pub(crate) transaction: &'s mut Transaction<'t>,
    pub(crate) statements: &'s mut Statements,
    /// How this host's clock differs from the server's.
    pub(crate) clock: Clock,
    /// The server's time when the transaction began.
    pub(crate) now: Option<SystemTime>,
}

impl Sql<'_, '_> {
    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.prepared(sql)?;
        self.transaction.query(&statement, parameters)
    }

    pub(crate) fn execute(
        &mut self,
        sql: &'static str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        let statement = self.prepared(sql)?;
        self.transaction.execute(&statement, parameters)
    }

    /// Hands on what is found page by page, until one breaks it off: a page is in memory at once.
    pub(crate) fn pages(
        &mut self,
        select: &str,
        parameters: &[&(dyn ToSql + Sync)],
        mut each: impl FnMut(&mut Self, &[Row]) -> Result<ControlFlow<()>, Fault>,
    ) -> Result<(), Fault> {
        let portal = self.transaction.bind(select, parameters)?;
        loop {
            let rows = self.transaction.query_portal(&portal, PAGE)?;
            if each(self, &rows)?.is_break() || rows.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    fn prepared(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.0.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(sql)?;
        self.statements.0.insert(sql, statement.clone());
        Ok(statement)
    }
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} statements", self.0.len())
    }
}
