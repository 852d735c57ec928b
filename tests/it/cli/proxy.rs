//! `--ca` and `--proxy`: the way to the API is chosen on purpose, and what is secret on it stays so.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use capture_sandbox::{Sandbox, Server, Settings};

use super::command::{
    KEY, SECRET, capture, capture_at, directory, each_transport, order, run, server,
};
use super::order::{outcome, simple};

/// `canary:canary/pass`, as it is written in a URL and as it is sent.
const USER: &str = "canary:canary%2Fpass";
const BASIC: &str = "Basic Y2FuYXJ5OmNhbmFyeS9wYXNz";

#[test]
fn the_authority_of_the_sandbox_is_trusted_on_request() {
    each_transport(|transport| {
        let (server, authority) = secured(&format!("ca-{transport}"));
        let order = order(&server);
        let without = simple(&server, &order.to_string(), &["--transport", transport]);
        assert_eq!(without.code, 2, "{transport}: {without:?}");
        assert!(without.stdout.to_lowercase().contains("certificate"), "{without:?}");
        let flags = ["--transport", transport, "--ca", authority.to_str().unwrap()];
        let with = simple(&server, &order.to_string(), &flags);
        assert_eq!(with.code, 0, "{transport}: {with:?}");
        assert_eq!(server.ledger().captures(order), 1);
        let status = run(capture_at(&server, &["status", &order.to_string()]).args(flags));
        assert!(status.stdout.starts_with("Completed"), "{transport}: {status:?}");
    });
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_and_sees_no_secret_of_the_capture() {
    each_transport(|transport| {
        let (server, authority) = secured(&format!("proxy-{transport}"));
        let order = order(&server);
        let target = server.base_url().replace("https://", "");
        for (flag, user, proof) in [(true, "", None), (false, USER, Some(BASIC))] {
            let proxy = Tunnels::start("HTTP/1.1 200 OK\r\n\r\n");
            let address = proxy.address;
            let mut command = capture_at(&server, &["order", &order.to_string()]);
            command.args(["--amount", "100.00", "--currency", "USD", "--transport", transport]);
            command.arg("--ca").arg(&authority);
            match flag {
                true => command.arg("--proxy").arg(format!("http://{address}")),
                false => command.env("CAPTURE_PROXY", format!("http://{user}@{address}/")),
            };
            let captured = run(&mut command);
            assert_eq!(captured.code, 0, "{transport}: {captured:?}");
            let heads = proxy.heads.lock().unwrap();
            assert!(!heads.is_empty(), "{transport}: nothing went through the proxy");
            for head in heads.iter() {
                assert!(head.starts_with(&format!("CONNECT {target} ")), "{transport}: {head}");
                let lines = head.lines().filter_map(|line| line.split_once(": "));
                let mut sent = lines.filter(|(n, _)| n.eq_ignore_ascii_case("proxy-authorization"));
                assert_eq!(sent.next().map(|(_, value)| value), proof, "{transport}: {head}");
                assert!(!head.contains(KEY) && !head.contains("Bearer"), "{transport}: {head}");
            }
        }
        assert_eq!(server.ledger().captures(order), 1);
    });
}

/// Nothing leaves without a tunnel. It also shows that production is announced by any of its names.
#[test]
fn a_refused_tunnel_and_a_dead_proxy_send_nothing() {
    each_transport(|transport| {
        let refusing = Tunnels::start("HTTP/1.1 407 Canary\r\n\r\n");
        let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (address, host) in [
            (refusing.address, "https://API.flexfactor.io.:443"),
            (refusing.address, "https://api.flex-charge.com:443/v1"),
            (dead, "https://api.flex-charge.com."),
        ] {
            let mut command = capture(&["order", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81"]);
            command.args(["--amount", "1.00", "--currency", "USD", "--transport", transport]);
            command.args(["--environment", host, "--deadline", "0.2"]);
            command.env("CAPTURE_PROXY", format!("http://{USER}@{address}"));
            let refused = run(command.env("CAPTURE_TOKEN", "canary.token"));
            assert_eq!(refused.code, 2, "{transport}: {refused:?}");
            assert!(refused.stdout.contains("no capture was sent"), "{transport}: {refused:?}");
            let first = refused.stderr.lines().next();
            assert_eq!(first, Some("PRODUCTION: real money"), "{transport}: {refused:?}");
        }
    });
}

/// Connecting has a time of its own, the tunnel included: a proxy that says nothing sent nothing.
#[test]
fn a_silent_proxy_sends_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    each_transport(|transport| {
        let mut command = capture(&["order", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", "--json"]);
        command.args(["--amount", "1.00", "--currency", "USD", "--transport", transport]);
        command.args(["--environment", "https://api.flex-charge.example", "--max-sends", "1"]);
        command.env("CAPTURE_PROXY", format!("http://{address}"));
        let told = run(command.env("CAPTURE_TOKEN", "canary.token"));
        let json = told.json();
        assert_eq!((told.code, outcome(&json)), (2, ("nothing_done", "never_sent")), "{told:?}");
    });
}

#[test]
fn a_proxy_or_a_certificate_that_cannot_be_used_is_refused() {
    let server = server();
    let order = order(&server).to_string();
    let folder = directory("refused-certificates");
    let (text, missing) = (folder.join("text.pem"), folder.join("missing.pem"));
    fs::write(&text, "-----BEGIN PRIVATE KEY-----\ncanary\n").unwrap();
    let broken = folder.join("broken.pem");
    fs::write(&broken, "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n").unwrap();
    let endless = folder.join("endless.pem");
    fs::write(&endless, "#".repeat(1024 * 1024 + 1)).unwrap();
    let https = "https://api.flex-charge.example";
    for (environment, flag, value, why) in [
        (https, "--proxy", "", "must be a URL such as http://proxy.example:3128"),
        (https, "--proxy", "proxy.example:3128", "must be a URL such as"),
        (https, "--proxy", "http://proxy.example", "must be a URL such as"),
        (https, "--proxy", "http://proxy.example:x", "must be a URL such as"),
        (https, "--proxy", "http://proxy.example:1/canary", "must be a URL such as"),
        (https, "--proxy", "https://proxy.example:3128", "the scheme must be http"),
        (https, "--proxy", "socks5://proxy.example:1080", "the scheme must be http"),
        (https, "--proxy", "http://canary:canary@proxy.example:1", "use CAPTURE_PROXY"),
        ("http://127.0.0.1:1", "--proxy", "http://127.0.0.1:2", "is reached without a proxy"),
        (https, "--ca", missing.to_str().unwrap(), "No such file"),
        (https, "--ca", endless.to_str().unwrap(), "is larger than 1024 KiB"),
        (https, "--ca", text.to_str().unwrap(), "holds no certificate"),
        (https, "--ca", broken.to_str().unwrap(), "the certificates cannot be read"),
    ] {
        for command in
            [&["status", &order][..], &["order", &order, "--amount", "1", "--currency", "USD"]]
        {
            let mut command = capture_at(&server, command);
            let refused = run(command.args(["--environment", environment, flag, value]));
            assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{value}: {refused:?}");
            assert!(refused.stderr.contains(why), "{value}: {refused:?}");
            assert_eq!(refused.stderr.lines().count(), 1, "{refused:?}");
        }
    }
    let mut empty = capture_at(&server, &["status", &order]);
    let refused = run(empty.env("CAPTURE_PROXY", ""));
    assert!(refused.stderr.contains("CAPTURE_PROXY is set but empty"), "{refused:?}");
}

/// Said once, and only where it could matter. Without credentials nothing is sent, whatever the target.
#[test]
fn a_proxy_in_the_environment_is_ignored_and_named_once() {
    let https = "https://api.flex-charge.example";
    for (environment, variables, own, named) in [
        (https, &["HTTPS_PROXY"][..], None, Some("HTTPS_PROXY")),
        (https, &["https_proxy"], None, Some("https_proxy")),
        (https, &["ALL_PROXY"], None, Some("ALL_PROXY")),
        (https, &["all_proxy", "HTTPS_PROXY"], None, Some("HTTPS_PROXY, all_proxy")),
        ("production", &["ALL_PROXY"], None, Some("ALL_PROXY")),
        (https, &[], None, None),
        (https, &["HTTPS_PROXY"], Some("http://127.0.0.1:1"), None),
        ("http://127.0.0.1:1", &["HTTPS_PROXY"], None, None),
        ("https://localhost:1", &["HTTPS_PROXY"], None, None),
        ("https://[::1]:1", &["all_proxy"], None, None),
    ] {
        let mut command = capture(&["status", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81"]);
        command.args(["--environment", environment]);
        without_proxies(&mut command);
        command.envs(variables.iter().map(|name| (name, "http://canary:canary@127.0.0.1:1")));
        command.envs(own.map(|proxy| ("CAPTURE_PROXY", proxy)));
        let told = run(&mut command);
        let (said, error): (Vec<&str>, Vec<&str>) =
            told.stderr.lines().partition(|line| line.starts_with("ignored: "));
        let expect = named.map(|names| {
            format!("ignored: {names}; to use a proxy, give --proxy URL or CAPTURE_PROXY")
        });
        assert_eq!(said, expect.iter().map(String::as_str).collect::<Vec<_>>(), "{variables:?}");
        assert!(error[0].starts_with("error: no credentials are given"), "{told:?}");
    }
}

/// None of this machine's own proxies.
fn without_proxies(command: &mut Command) {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "CAPTURE_PROXY"] {
        command.env_remove(name);
    }
}

/// A sandbox with TLS, and the file that holds its authority.
fn secured(name: &str) -> (Server, PathBuf) {
    let settings =
        Settings { app_key: KEY.into(), app_secret: SECRET.into(), ..Settings::default() };
    let server = Sandbox::builder().settings(settings).tls().start().expect("a free port");
    let file = directory(name).join("authority.pem");
    // As long as a bundle of authorities with its comments is.
    let pem = server.authority_pem().expect("TLS is on");
    fs::write(&file, format!("{}{pem}", "# One of many\n".repeat(15_000))).unwrap();
    (server, file)
}

/// A proxy that gives each CONNECT this answer, and the tunnel if it is a 200.
struct Tunnels {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Tunnels {
    fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heads) = (listener.local_addr().unwrap(), Arc::default());
        let seen: Arc<Mutex<Vec<String>>> = Arc::clone(&heads);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || serve(client, answer, &seen));
            }
        });
        Self { address, heads }
    }
}

/// Whatever breaks here is a broken tunnel, which the command reports.
fn serve(mut client: TcpStream, answer: &str, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let target = head.split(' ').nth(1)?.to_owned();
    seen.lock().unwrap().push(head);
    client.write_all(answer.as_bytes()).ok()?;
    if !answer.contains(" 200 ") {
        return None;
    }
    let mut server = TcpStream::connect(target).ok()?;
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        to.shutdown(std::net::Shutdown::Write)
    });
    let _ = std::io::copy(&mut server, &mut client);
    client.shutdown(std::net::Shutdown::Write).ok()
}
