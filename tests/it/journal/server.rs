//! A PostgreSQL server for the tests: started once, stopped however the tests end, a database for each test.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use capture_core::OrderId;
use capture_journal::{Journal, Lost, Story, Turn, Turned};
use capture_postgres::{Config, Postgres};
use postgres::{Client, NoTls};

/// A running server. Its keeper stops it and removes its files once this process has ended: it reads from a pipe
/// that ends with it.
pub(crate) struct Server {
    directory: PathBuf,
    programs: PathBuf,
    port: u16,
    _keeper: Child,
}

/// A database of its own on the server.
pub(crate) struct Database {
    server: &'static Server,
    name: String,
}

static SERVER: OnceLock<Option<Server>> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Whether there is a server; says aloud if there is none.
pub(crate) fn is_there() -> bool {
    server().is_some()
}

fn server() -> Option<&'static Server> {
    SERVER.get_or_init(|| Server::start(None)).as_ref()
}

impl Server {
    /// On a socket, and on a port of this machine too.
    pub(crate) fn start(port: Option<u16>) -> Option<Self> {
        // Its keeper needs `setsid`.
        let Some(programs) = programs().filter(|_| cfg!(target_os = "linux")) else {
            crate::skipped("PostgreSQL is not installed: no journal in a database was tested");
            return None;
        };
        let address = if port.is_some() { "127.0.0.1" } else { "" };
        let port = port.unwrap_or(5432);
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("capture-pg-{}-{number}", std::process::id()));
        let data = directory.join("data");
        let (data, socket) = (data.display(), directory.display());
        let bin = programs.display();
        let script = format!(
            "set -e
            mkdir {socket}
            {bin}/initdb -D {data} -A trust -U capture -E UTF8 --locale=C --no-sync >{socket}/initdb.log 2>&1
            {bin}/pg_ctl -D {data} -w -t 60 -l {socket}/server.log -o \"-c listen_addresses='{address}' -c port={port} \
                -c unix_socket_directories={socket} -c max_connections=200 -c shared_buffers=32MB\" \
                start >{socket}/start.log 2>&1
            echo ready >{socket}/ready
            cat >/dev/null || true
            {bin}/pg_ctl -D {data} -m immediate stop >/dev/null 2>&1 || true
            rm -rf {socket}"
        );
        let mut keeper = not_as_root();
        keeper.args(["sh", "-c", &script]).current_dir("/");
        keeper.stdin(Stdio::piped()).stdout(Stdio::null());
        let keeper = keeper.spawn().unwrap();
        let began = Instant::now();
        while !directory.join("ready").exists() {
            let log = || fs::read_to_string(directory.join("server.log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(90), "no server: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
        Some(Self { directory, programs, port, _keeper: keeper })
    }

    /// Stops it as a crash does, and starts it again.
    pub(crate) fn crash(&self) {
        let (bin, data) = (self.programs.display(), self.directory.join("data"));
        let (log, data) = (self.directory.join("server.log"), data.display());
        let script = format!(
            "{bin}/pg_ctl -D {data} -m immediate -w -l {} restart >/dev/null 2>&1",
            log.display()
        );
        let done = not_as_root().args(["sh", "-c", &script]).current_dir("/").status().unwrap();
        assert!(done.success());
    }

    /// Where its programs are.
    pub(crate) fn programs(&self) -> &Path {
        &self.programs
    }

    /// Its folder, which belongs to the user that it runs as.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Changes settings, and lets the server read them.
    pub(crate) fn set(&self, settings: &[&str]) {
        for setting in settings {
            self.psql("postgres", "capture", &format!("ALTER SYSTEM SET {setting}")).unwrap();
        }
        self.psql("postgres", "capture", "SELECT pg_reload_conf()").unwrap();
        thread::sleep(Duration::from_millis(300));
    }

    pub(crate) fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.directory).port(self.port).user("capture").dbname(database);
        config
    }

    /// Runs `psql` as this role, and returns what it wrote.
    pub(crate) fn psql(&self, database: &str, role: &str, sql: &str) -> Result<String, String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", role, "-d", database]);
        psql.args(["-p", &self.port.to_string()]);
        psql.arg("-h").arg(&self.directory).stdin(Stdio::piped());
        psql.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut psql = psql.spawn().unwrap();
        psql.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }
}

impl Database {
    pub(crate) fn create() -> Self {
        let server = server().expect("asked before");
        Self::on(server)
    }

    pub(crate) fn on(server: &'static Server) -> Self {
        let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut client = connect(&server.config("postgres"));
        client.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        Self { server, name }
    }

    pub(crate) fn config(&self) -> Config {
        self.server.config(&self.name)
    }

    /// The same for another process.
    pub(crate) fn url(&self) -> String {
        format!(
            "host={} port={} user=capture dbname={}",
            self.server.directory.display(),
            self.server.port,
            self.name
        )
    }

    /// The same for the command.
    pub(crate) fn journal(&self) -> String {
        let (directory, port) = (self.server.directory.display(), self.server.port);
        format!("postgres://capture@/{}?host={directory}&port={port}", self.name)
    }

    /// A role that no other test has.
    pub(crate) fn role(&self) -> String {
        format!("{}_shop", self.name)
    }

    pub(crate) fn open(&self) -> Opened {
        Opened { journal: self.open_now(), client: self.client() }
    }

    pub(crate) fn open_now(&self) -> Postgres {
        Postgres::open(&self.config(), &"sandbox".parse().unwrap()).unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        connect(&self.config())
    }

    pub(crate) fn psql(&self, role: &str, sql: &str) -> Result<String, String> {
        self.server.psql(&self.name, role, sql)
    }

    /// Lets the whole server crash, and start again.
    pub(crate) fn crash(&self) {
        self.server.crash();
    }
}

fn connect(config: &Config) -> Client {
    postgres::Config::from(config.clone()).connect(NoTls).unwrap()
}

/// An opening, and a way to its lease.
pub(crate) struct Opened {
    pub(crate) journal: Postgres,
    client: Client,
}

impl Opened {
    /// Lets its lease run out, as that of a process does which was stopped for too long.
    pub(crate) fn run_out(&mut self) {
        let past = "UPDATE capture.lease SET lease_until = clock_timestamp() - interval '1 s'
            WHERE fence = $1";
        assert_eq!(self.client.execute(past, &[&self.journal.fence().0]).unwrap(), 1);
    }
}

impl Journal for Opened {
    fn turn(&mut self, turn: &Turn) -> Result<Turned, Lost> {
        self.journal.turn(turn)
    }

    fn stories(&mut self, order: OrderId) -> Result<Vec<Story>, Lost> {
        self.journal.stories(order)
    }
}

/// In a session of its own: a signal to the tests' group is for the tests.
fn not_as_root() -> Command {
    let user = Command::new("id").arg("-u").output().unwrap().stdout;
    let mut command = Command::new("setsid");
    if user.trim_ascii() == b"0" {
        command.args(["-w", "runuser", "-u", "nobody", "--"]);
    }
    command
}

/// Where the newest server's programs are: Debian's folders, or beside `pg_ctl` in the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|it| it.path()).filter(|it| it.join("bin/pg_ctl").exists());
    let newest = newest.max_by_key(|path| version(path)).map(|path| path.join("bin"));
    let path = env::var_os("PATH")?;
    newest.or_else(|| env::split_paths(&path).find(|folder| folder.join("pg_ctl").exists()))
}
