//! A connection and what its holder is: its transactions, its lease, its chain.

use std::fmt;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use capture_journal::{Fence, Hash, Holder, Lost, Wake};
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::{ToSql, Type};
use postgres::{Client, Error, IsolationLevel};

use crate::clock::Clock;
use crate::fault::{Fault, lost};
use crate::sql::{Sql, Statements};

/// One opening's own.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) statements: Statements,
    pub(crate) who: Who,
    pub(crate) chain: Chain,
    pub(crate) is_closed: bool,
    /// How long the latest transaction took.
    pub(crate) took: Duration,
    /// Whom it wakes.
    pub(crate) wake: Wake,
}

/// What does not change while the journal is open.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) us: Holder,
    pub(crate) lease: Duration,
    /// Whether it has no number and no lease, and writes nothing.
    pub(crate) only_reads: bool,
    pub(crate) environment: i64,
    pub(crate) environment_name: String,
}

/// The records of one fence: each hash covers the one before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain {
    pub(crate) fence: Fence,
    pub(crate) number: i64,
    pub(crate) head: Hash,
    /// Whether its lease says that it works off captures at a rate.
    pub(crate) shares_rate: bool,
}

impl Chain {
    /// It begins with the fence's number, so that no chain passes for another one.
    pub(crate) fn new(fence: Fence) -> Self {
        let mut head = Hash::default();
        head[24..].copy_from_slice(&fence.0.to_be_bytes());
        Self { fence, number: 0, head, shares_rate: false }
    }
}

const RENEW: &str = "UPDATE capture.lease
    SET lease_until = clock_timestamp() + $2::bigint * interval '1 ms'
    WHERE fence = $1 AND lease_until > clock_timestamp()
    RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// The server's time in milliseconds.
pub(crate) const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// How often a transaction is tried that the server undid.
const TRIES: u32 = 6;

impl Session {
    /// One transaction: what is done in it is durable when this returns, or nothing of it is certain and the
    /// journal is closed. One that the server undid is done again, as a whole.
    pub(crate) fn transact<T>(
        &mut self,
        mut work: impl FnMut(&Who, &mut Sql<'_, '_>, &mut Chain) -> Result<T, Fault>,
    ) -> Result<T, Lost> {
        if self.is_closed {
            return Err(Lost::Closed);
        }
        // A panic leaves it closed as well.
        self.is_closed = true;
        let mut tries = 0;
        let done = loop {
            tries += 1;
            match self.once(&mut work) {
                Ok(done) => break done,
                // What hands on lines as it reads them cannot be done again.
                Err(Fault::Undone(_)) if tries < TRIES && !self.who.only_reads => {
                    thread::sleep(Duration::from_millis(5) * tries);
                    // It may have waited for long, and what renewed its lease was undone too.
                    self.is_closed = false;
                    self.renew()?;
                    self.is_closed = true;
                }
                Err(Fault::Undone(error)) => return Err(lost(error)),
                Err(Fault::Lost(lost)) => return Err(lost),
            }
        };
        self.is_closed = false;
        Ok(done)
    }

    fn once<T>(
        &mut self,
        work: &mut impl FnMut(&Who, &mut Sql<'_, '_>, &mut Chain) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let began = Instant::now();
        let Self { client, statements, who, .. } = self;
        // What another holder has committed is seen by the statement after the one that waited for it.
        let builder = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted);
        let mut transaction = builder.read_only(who.only_reads).start()?;
        let clock = Clock::default();
        let mut sql = Sql { transaction: &mut transaction, statements, clock, now: None };
        let mut chain = self.chain;
        if !who.only_reads {
            let before = SystemTime::now();
            let lease = milliseconds(who.lease);
            let mut now = sql.query(RENEW, &[&chain.fence.0, &lease])?;
            if now.is_empty() {
                // Its lease ran out: a holder that came meanwhile takes what it holds for interrupted. What it
                // claims from now on is under a new number.
                chain = Chain::new(enter(&mut sql, &who.us, who.lease)?);
                now = sql.query(NOW, &[])?;
            }
            let now: i64 = now[0].get(0);
            sql.clock = Clock::new(before, now, SystemTime::now());
            sql.now = Some(crate::read::moment(now));
        }
        let done = work(who, &mut sql, &mut chain)?;
        transaction.commit().map_err(lost)?;
        self.chain = chain;
        self.took = began.elapsed();
        Ok(done)
    }

    /// Whether the server tells it what services write down.
    pub(crate) fn is_listening(&self) -> bool {
        self.chain.shares_rate && !self.is_closed
    }

    /// Wakes its run if the server said that something was written down. It asks the server nothing.
    pub(crate) fn listen(&mut self) {
        let environment = self.who.environment.to_string();
        let mut said = self.client.notifications();
        let mut said = said.iter();
        let mut is_ours = false;
        // A connection that failed is noticed by the next turn.
        while let Ok(Some(notification)) = said.next() {
            is_ours |= notification.payload() == environment;
        }
        if is_ours {
            self.wake.wake();
        }
    }

    /// Renews the lease alone. One that ran out stays so.
    pub(crate) fn renew(&mut self) -> Result<(), Lost> {
        if self.is_closed {
            return Err(Lost::Closed);
        }
        let (fence, lease) = (self.chain.fence.0, milliseconds(self.who.lease));
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&fence, Type::INT8), (&lease, Type::INT8)];
        let renewed = self.client.execute_typed(RENEW, &parameters);
        self.is_closed = renewed.is_err();
        renewed.map(drop).map_err(lost)
    }

    /// Gives the lease back.
    pub(crate) fn end(&mut self) {
        if self.who.only_reads {
            return;
        }
        let gone = "DELETE FROM capture.lease WHERE fence = $1";
        // Where the connection is lost it runs out.
        let _ = self.client.execute(gone, &[&self.chain.fence.0]);
        self.is_closed = true;
    }
}

/// A number that nobody had before, and its lease.
pub(crate) fn enter(sql: &mut Sql<'_, '_>, us: &Holder, lease: Duration) -> Result<Fence, Error> {
    const OPENING: &str = "INSERT INTO capture.opening (host, process, program) VALUES ($1, $2, $3)
        RETURNING fence";
    const LEASE: &str = "INSERT INTO capture.lease
        VALUES ($1, clock_timestamp() + $2::bigint * interval '1 ms')";
    let program = concat!("capture ", env!("CARGO_PKG_VERSION"));
    let rows = sql.query(OPENING, &[&us.host, &i64::from(us.process), &program])?;
    let fence: i64 = rows[0].get(0);
    sql.execute(LEASE, &[&fence, &milliseconds(lease)])?;
    Ok(Fence(fence))
}

fn milliseconds(lease: Duration) -> i64 {
    i64::try_from(lease.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { who, chain, is_closed, .. } = self;
        f.debug_struct("Session")
            .field("who", who)
            .field("chain", chain)
            .field("is_closed", is_closed)
            .finish()
    }
}
