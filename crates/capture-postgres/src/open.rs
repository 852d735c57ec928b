//! Opening the journal: what the database must be, and what its opener is told.

use std::error::Error as _;
use std::io;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use capture_core::Environment;
use capture_journal::{Fence, Wake, environment_name};
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;

use crate::clock::Clock;
use crate::connect::connect;
use crate::holder;
use crate::schema::{VERSION, migrate, version};
use crate::session::{Chain, NOW, Session, Who, enter};
use crate::sql::{Sql, Statements};

/// The journal of one environment's captures, in a database that any number of machines share.
///
/// It blocks, so that within a runtime it is best left to [`Durable`](capture_journal::Durable), which has a thread
/// for it. What hands on lines one by one ([`Lists::lines`](capture_journal::Lists::lines) and its like) must not be
/// called within one.
#[derive(Debug)]
pub struct Postgres {
    session: Option<Arc<Mutex<Session>>>,
    beating: Option<(Sender<()>, JoinHandle<()>)>,
}

/// How the journal is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long others wait for a holder that says nothing any more, before what it claimed counts as interrupted.
    pub lease: Duration,
    /// Certificates in PEM that are trusted besides Mozilla's roots; may be empty.
    pub root_certificates: Vec<u8>,
}

impl Default for Options {
    fn default() -> Self {
        Self { lease: Duration::from_secs(30), root_certificates: Vec::new() }
    }
}

/// Why a journal cannot be opened. Nothing was captured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database cannot be reached, or refused what was asked.
    #[error("the journal's database cannot be used")]
    Database(#[source] postgres::Error),
    /// TLS cannot be set up.
    #[error("the journal's database cannot be reached with TLS")]
    Tls(#[source] capture_tls::TlsError),
    /// The server may lose what it has committed.
    #[error(
        "the journal's server runs with {0}=off, and may lose what it has committed; turn it on"
    )]
    Forgetful(&'static str),
    /// There are no tables, or those of an older version.
    #[error(
        "there is no journal in the database, or one of an older version; open it to work with it first"
    )]
    NotThere,
    /// A newer program made the tables.
    #[error(
        "the journal's tables are of version {0}, and this program knows {VERSION}; update Capture"
    )]
    Newer(i32),
    /// The clocks differ.
    #[error("this machine's clock is {} s off the database's; set it first", .0.as_secs())]
    Clock(Duration),
}

impl OpenError {
    /// Whether it may pass by itself: the server cannot be reached, is starting, stopping or a standby, or has no
    /// room.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let Some(code) = error.code() else {
            // A certificate that is not trusted is an error of the network too, and stays so.
            let network = error.source().and_then(|it| it.downcast_ref::<io::Error>());
            return error.is_closed()
                || network.is_some_and(|it| it.kind() != io::ErrorKind::InvalidData);
        };
        let passing = [
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            // A standby that is about to take over.
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::DISK_FULL,
            SqlState::OUT_OF_MEMORY,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        passing.contains(code)
    }
}

/// So much may the clocks differ when it is opened. What differs is translated; more is a mistake.
const SKEW: Duration = Duration::from_secs(300);

impl Postgres {
    /// Opens the journal, and makes its tables in the schema `capture` where there are none.
    ///
    /// A connection to another machine is encrypted and the server's certificate checked, unless
    /// `sslmode=disable` is said.
    ///
    /// # Errors
    /// When the database cannot be used, may lose what it has committed, or is newer than this program.
    pub fn open(config: &Config, environment: &Environment) -> Result<Self, OpenError> {
        Self::open_with(config, environment, &Options::default())
    }

    /// The same with a lease and certificates of your own.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(
        config: &Config,
        environment: &Environment,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let session = outside(|| open(config, environment, options))?;
        let session = Arc::new(Mutex::new(session));
        let (stop, stopped) = mpsc::channel();
        let (held, every) = (Arc::clone(&session), options.lease / 3);
        let beating = thread::Builder::new()
            .name("capture-lease".to_owned())
            .spawn(move || holder::beat(&held, &stopped, every));
        let beating = Some((stop, beating.expect("a thread")));
        Ok(Self { session: Some(session), beating })
    }

    /// Opens a journal only to read it: nothing is made, nobody is noted as its opener, and a turn fails.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when there is no journal of this version.
    pub fn open_to_read(
        config: &Config,
        environment: &Environment,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let session = outside(|| open_to_read(config, environment, options))?;
        Ok(Self { session: Some(Arc::new(Mutex::new(session))), beating: None })
    }

    /// The number of this opening. It has a new one from the turn on that finds its lease run out.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.session().chain.fence
    }

    pub(crate) fn session(&self) -> MutexGuard<'_, Session> {
        let session = self.session.as_ref().expect("it is there until it is dropped");
        session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let (session, beating) = (self.session.take(), self.beating.take());
        // A connection cannot be ended within a runtime.
        let ending = thread::spawn(move || {
            if let Some((stop, beating)) = beating {
                drop(stop);
                let _ = beating.join();
            }
            if let Some(session) = session {
                holder::end(&session);
            }
        });
        let _ = ending.join();
    }
}

fn open(
    config: &Config,
    environment: &Environment,
    options: &Options,
) -> Result<Session, OpenError> {
    let mut client = connect(config, options, false)?;
    migrate(&mut client)?;
    let row = client.query_one(NOW, &[]).map_err(OpenError::Database)?;
    let theirs = crate::read::moment(row.get(0));
    agree(SystemTime::now(), theirs)?;
    let (name, lease, us) = (environment_name(environment), options.lease, holder::this());
    let mut statements = Statements::default();
    let mut transaction = client.transaction().map_err(OpenError::Database)?;
    let sql = &mut Sql {
        transaction: &mut transaction,
        statements: &mut statements,
        clock: Clock::default(),
        now: None,
    };
    const ENVIRONMENT: &str =
        "INSERT INTO capture.environment (name) VALUES ($1) ON CONFLICT DO NOTHING";
    const ID: &str = "SELECT id FROM capture.environment WHERE name = $1";
    let mut id = sql.query(ID, &[&name]).map_err(OpenError::Database)?;
    if id.is_empty() {
        sql.execute(ENVIRONMENT, &[&name]).map_err(OpenError::Database)?;
        id = sql.query(ID, &[&name]).map_err(OpenError::Database)?;
    }
    let fence = enter(sql, &us, lease).map_err(OpenError::Database)?;
    transaction.commit().map_err(OpenError::Database)?;
    let environment = id[0].get(0);
    let who = Who { us, lease, only_reads: false, environment, environment_name: name };
    let (chain, took, wake) = (Chain::new(fence), Duration::ZERO, Wake::default());
    Ok(Session { client, statements, who, chain, is_closed: false, took, wake })
}

fn open_to_read(
    config: &Config,
    environment: &Environment,
    options: &Options,
) -> Result<Session, OpenError> {
    const ID: &str = "SELECT id FROM capture.environment WHERE name = $1";
    let mut client = connect(config, options, true)?;
    match version(&mut client)? {
        Some(VERSION) => {}
        Some(newer) if newer > VERSION => return Err(OpenError::Newer(newer)),
        _ => return Err(OpenError::NotThere),
    }
    let name = environment_name(environment);
    let id = client.query_opt(ID, &[&name]).map_err(OpenError::Database)?;
    // No environment has the number 0, and no opening either.
    let id = id.map_or(0, |row| row.get(0));
    let (us, lease) = (holder::this(), options.lease);
    let who = Who { us, lease, only_reads: true, environment: id, environment_name: name };
    let (statements, chain) = (Statements::default(), Chain::new(Fence(0)));
    let (took, wake) = (Duration::ZERO, Wake::default());
    Ok(Session { client, statements, who, chain, is_closed: false, took, wake })
}

/// Does this on a thread of its own where the caller is within a runtime: a connection has one of its own.
pub(crate) fn outside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => apart(work),
        Err(_) => work(),
    }
}

/// On a thread of its own.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let done = thread::scope(|it| it.spawn(work).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn agree(ours: SystemTime, theirs: SystemTime) -> Result<(), OpenError> {
    let skew = ours.duration_since(theirs).unwrap_or_else(|error| error.duration());
    if skew > SKEW { Err(OpenError::Clock(skew)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_agree_within_five_minutes() {
        let now = SystemTime::now();
        for (seconds, agrees) in [(0, true), (300, true), (301, false), (86_400, false)] {
            let other = now + Duration::from_secs(seconds);
            assert_eq!(agree(now, other).is_ok(), agrees, "{seconds} s behind");
            assert_eq!(agree(other, now).is_ok(), agrees, "{seconds} s ahead");
        }
    }
}
