//! A database that is reached with TLS: whose certificate is trusted.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use capture_core::Environment;
use capture_postgres::{Config, OpenError, Options, Postgres};

use super::server::Server;
use super::store::{ask, capture, work};

#[test]
fn a_server_is_trusted_by_its_certificate_alone() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(server) = Server::start(Some(free)) else { return };
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let user = fs::metadata(server.directory()).unwrap();
    let files = [("server.pem", own.cert.pem()), ("server.key", own.signing_key.serialize_pem())];
    for (name, pem) in files {
        let path = server.directory().join(name);
        fs::write(&path, pem).unwrap();
        chown(&path, Some(user.uid()), Some(user.gid())).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
    let folder = server.directory().display();
    server.set(&[
        &format!("ssl_cert_file = '{folder}/server.pem'"),
        &format!("ssl_key_file = '{folder}/server.key'"),
        "ssl = on",
    ]);
    let text = format!("host=localhost port={free} user=capture dbname=postgres sslmode=require");
    let config: Config = text.parse().unwrap();
    let sandbox: Environment = "sandbox".parse().unwrap();
    let open = |pem: String| {
        let options = Options { root_certificates: pem.into_bytes(), ..Options::default() };
        Postgres::open_with(&config, &sandbox, &options)
    };
    for untrusted in [String::new(), other.cert.pem()] {
        let refused = open(untrusted);
        assert!(matches!(refused, Err(OpenError::Database(_))), "{refused:?}");
    }
    assert!(matches!(open("no certificate".to_owned()), Err(OpenError::Tls(_))));
    let mut journal = open(own.cert.pem()).unwrap();
    let _ = work(ask(&mut journal, 0, capture("100.00")));
    let encrypted = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'capture'";
    assert_eq!(server.psql("postgres", "capture", encrypted).unwrap(), "t");
}
