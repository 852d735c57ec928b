//! A connection: encrypted where it leaves the machine, and with a server that keeps what it commits.

use std::net::IpAddr;
use std::time::Duration;

use postgres::Client;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::open::{OpenError, Options};

/// No server needs longer to answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn connect(
    config: &Config,
    options: &Options,
    only_reads: bool,
) -> Result<Client, OpenError> {
    let mut config = config.clone();
    config.ssl_mode(ssl_mode(&config));
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    // A peer that is gone is told from a slow one before the lease runs out.
    config.tcp_user_timeout(options.lease);
    config.keepalives_idle(options.lease);
    if config.get_application_name().is_none() {
        config.application_name("capture");
    }
    let config: postgres::Config = config.into();
    let tls = capture_tls::client_config(&options.root_certificates).map_err(OpenError::Tls)?;
    let mut client = config.connect(MakeRustlsConnect::new(tls)).map_err(OpenError::Database)?;
    prepare(&mut client, options.lease, only_reads)?;
    Ok(client)
}

/// What merely prefers TLS would go on without it wherever somebody in between asks for that.
fn ssl_mode(config: &Config) -> SslMode {
    match config.get_ssl_mode() {
        SslMode::Prefer if is_local(config) => SslMode::Disable,
        SslMode::Prefer => SslMode::Require,
        said => said,
    }
}

fn is_local(config: &Config) -> bool {
    let is_loopback = |name: &str| {
        name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    };
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => is_loopback(name),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    let mut addresses = config.get_hostaddrs().iter();
    hosts && addresses.all(IpAddr::is_loopback)
}

/// Refuses a server that may lose what it has committed, and sets what a turn relies on.
fn prepare(client: &mut Client, lease: Duration, only_reads: bool) -> Result<(), OpenError> {
    for setting in ["fsync", "full_page_writes"] {
        let row = client.query_one("SELECT pg_catalog.current_setting($1)", &[&setting]);
        if row.map_err(OpenError::Database)?.get::<_, &str>(0) != "on" {
            return Err(OpenError::Forgetful(setting));
        }
    }
    // A holder that is stopped within a turn would keep its orders locked. One that only reads locks nothing, and who
    // takes its lines may be slow.
    let idle = if only_reads { 0 } else { lease.as_millis() };
    let lock = (lease / 2).as_millis();
    let settings = format!(
        "SET synchronous_commit = on; SET search_path = pg_catalog; SET lock_timeout = {lock};
         SET idle_in_transaction_session_timeout = {idle}; SET default_transaction_read_only = off"
    );
    client.batch_execute(&settings).map_err(OpenError::Database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_leaves_the_machine_is_encrypted() {
        for (text, mode) in [
            ("host=/run/postgresql", SslMode::Disable),
            ("host=localhost", SslMode::Disable),
            ("host=127.0.0.1", SslMode::Disable),
            ("host=::1", SslMode::Disable),
            ("host=localhost sslmode=require", SslMode::Require),
            ("host=db.internal", SslMode::Require),
            ("host=localhost,db.internal", SslMode::Require),
            ("host=localhost hostaddr=10.0.0.1", SslMode::Require),
            ("host=10.0.0.1 sslmode=prefer", SslMode::Require),
            ("host=10.0.0.1 sslmode=disable", SslMode::Disable),
        ] {
            assert_eq!(ssl_mode(&text.parse().unwrap()), mode, "{text}");
        }
    }
}
