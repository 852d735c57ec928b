//! Credentials: where they may come from, why they are refused, and that they are never shown.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use capture_sandbox::Script;

use super::command::{
    KEY, Run, SECRET, capture, capture_at, directory, each_transport, order, run, server,
};
use super::order::{operations, outcome, simple};

const ORDER: [&str; 6] =
    ["order", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81", "--amount", "1", "--currency", "USD"];

const TOKEN: (&str, &str) = ("CAPTURE_TOKEN", "canary.token");

#[test]
fn missing_conflicting_and_broken_variables() {
    let server = server();
    let (key, secret) = (("CAPTURE_APP_KEY", KEY), ("CAPTURE_APP_SECRET", SECRET));
    for (variables, expect) in [
        (
            &[][..],
            "no credentials are given; set CAPTURE_TOKEN, or CAPTURE_APP_KEY and CAPTURE_APP_SECRET, or use --credentials FILE",
        ),
        (&[key], "CAPTURE_APP_SECRET is missing; it belongs to CAPTURE_APP_KEY"),
        (&[secret], "CAPTURE_APP_KEY is missing; it belongs to CAPTURE_APP_SECRET"),
        (&[TOKEN, key], "CAPTURE_TOKEN and CAPTURE_APP_KEY are both given; use one of them"),
        (&[TOKEN, secret], "CAPTURE_TOKEN and CAPTURE_APP_SECRET are both given; use one of them"),
        (
            &[TOKEN, key, secret],
            "CAPTURE_TOKEN and CAPTURE_APP_KEY are both given; use one of them",
        ),
        (&[("CAPTURE_TOKEN", "")], "CAPTURE_TOKEN is set but empty; give it a value or unset it"),
        (
            &[key, ("CAPTURE_APP_SECRET", "")],
            "CAPTURE_APP_SECRET is set but empty; give it a value or unset it",
        ),
        (
            &[("CAPTURE_TOKEN", "canary\n")],
            "CAPTURE_TOKEN: bearer token: ends with a line break; remove it (value hidden)",
        ),
        (
            &[("CAPTURE_TOKEN", "can ary")],
            "CAPTURE_TOKEN: bearer token: may hold only letters, digits and -._~+/ and = at its end; no spaces, no line breaks (value hidden)",
        ),
        (
            &[("CAPTURE_TOKEN", "Bearer canary")],
            "CAPTURE_TOKEN: bearer token: must be given without the word Bearer (value hidden)",
        ),
        (
            &[("CAPTURE_APP_KEY", "canary\r\n"), secret],
            "CAPTURE_APP_KEY: app key: ends with a line break; remove it (value hidden)",
        ),
        (
            &[("CAPTURE_APP_KEY", "'canary'"), secret],
            "CAPTURE_APP_KEY: app key: is in quotation marks, as in a dotenv file; they are not part of it: remove them (value hidden)",
        ),
        (
            &[key, ("CAPTURE_APP_SECRET", "canary ")],
            "CAPTURE_APP_SECRET: app secret: begins or ends with a space; remove it (value hidden)",
        ),
        (
            &[key, ("CAPTURE_APP_SECRET", "canary secret")],
            "CAPTURE_APP_SECRET: app secret: must not hold spaces, line breaks or control characters (value hidden)",
        ),
        (
            &[key, ("CAPTURE_APP_SECRET", "\t")],
            "CAPTURE_APP_SECRET: app secret: is empty (value hidden)",
        ),
    ] {
        for arguments in [&ORDER[..], &ORDER[1..2]] {
            let status = [&["status"], arguments].concat();
            let mut command = capture(if arguments.len() == 1 { &status } else { arguments });
            command.env("CAPTURE_ENVIRONMENT", server.base_url());
            let run = run(command.envs(variables.iter().copied()));
            assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
            assert_eq!(run.stderr, format!("error: {expect}\n"));
        }
    }
    assert_eq!(server.transcript().len(), 0);
}

#[test]
fn a_file_holds_exactly_one_pair_or_one_token() {
    let server = server();
    let path = directory("credentials-files").join("credentials.json");
    let form = r#"must be {"app_key": "...", "app_secret": "..."} or {"token": "..."}"#;
    let long = format!(r#"{{"token": "canary"}}{}"#, " ".repeat(64 * 1024));
    for (text, why) in [
        ("", form),
        ("canary", form),
        (r#""canary""#, form),
        (r#"["canary", "canary"]"#, form),
        ("{}", form),
        (r#"{"token": null}"#, form),
        (r#"{"token": 5}"#, form),
        (r#"{"token": "canary", "canary": 1}"#, form),
        (r#"{"Token": "canary"}"#, form),
        (r#"{"token": "canary", "token": "canary"}"#, form),
        (r#"{"token": "canary"} canary"#, form),
        (r#"{"app_key": "canary"}"#, "app_secret is missing; it belongs to app_key"),
        (r#"{"app_secret": "canary"}"#, "app_key is missing; it belongs to app_secret"),
        (r#"{"app_key": "canary", "token": "canary"}"#, "token and app_key are both given"),
        (r#"{"token": "canary\n"}"#, "bearer token: ends with a line break"),
        (r#"{"app_key": "canary\n", "app_secret": "canary"}"#, "app key: ends with a line break"),
        (r#"{"app_key": "\"canary\"", "app_secret": "canary"}"#, "app key: is in quotation marks"),
        (&long, "is larger than 64 KiB"),
    ] {
        private_file(&path, text);
        let run = with_file(&server, &path);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{text}: {run:?}");
        let begin = format!("error: credentials file {}: {why}", path.display());
        assert!(run.stderr.starts_with(&begin), "{begin}: {run:?}");
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
    }
    let absent = with_file(&server, &path.with_file_name("absent"));
    assert!(absent.stderr.contains("absent: "), "{absent:?}");
    let mut both = capture_at(&server, &ORDER);
    let both = run(both.arg("--credentials").arg(&path));
    assert_eq!(both.code, 2);
    assert_eq!(
        both.stderr,
        "error: --credentials and CAPTURE_APP_KEY are both given; use one of them\n"
    );
    assert_eq!(server.transcript().len(), 0);
}

#[test]
fn a_file_logs_in() {
    let server = server();
    let path = directory("credentials-good").join("credentials.json");
    private_file(&path, &serde_json::json!({ "app_key": KEY, "app_secret": SECRET }).to_string());
    let run = with_file(&server, &path);
    assert_eq!(server.logins(), 1, "{run:?}");
    assert!(!run.stderr.contains("warning"), "{run:?}");
}

#[test]
fn a_byte_order_mark_is_no_obstacle_and_utf_16_is_named() {
    let server = server();
    let path = directory("credentials-marked").join("credentials.json");
    let text = serde_json::json!({ "app_key": KEY, "app_secret": SECRET }).to_string();
    private_file(&path, &format!("\u{feff}{text}"));
    assert_eq!((with_file(&server, &path).code, server.logins()), (1, 1), "there is no such order");
    fs::write(&path, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()).unwrap();
    let refused = with_file(&server, &path);
    let name = path.display();
    let says = format!("error: credentials file {name}: is in UTF-16; save it as UTF-8\n");
    assert_eq!((refused.code, refused.stderr), (2, says));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_gets_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = server();
    let path = directory("credentials-open").join("credentials.json");
    private_file(&path, r#"{"token": "canary.token"}"#);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let warned = with_file(&server, &path);
    let warning = format!("warning: others can read {0}; run: chmod 600 {0}\n", path.display());
    assert!(warned.stderr.starts_with(&warning), "{warned:?}");
    assert!(warned.stdout.starts_with("nothing done"), "a warning is no refusal: {warned:?}");
    // What a service manager hands out looks like this, and is for one user.
    let mut command = capture(&ORDER);
    command.env("CAPTURE_ENVIRONMENT", server.base_url()).arg("--credentials").arg(&path);
    let run = run(command.env("CREDENTIALS_DIRECTORY", path.parent().unwrap()));
    assert!(!run.stderr.contains("others can read"), "{run:?}");
}

#[test]
fn wrong_credentials() {
    each_transport(|transport| {
        let server = server();
        let mut command = capture_at(&server, &ORDER);
        command.env("CAPTURE_APP_SECRET", "canary/other").args([
            "--json",
            "--transport",
            transport,
        ]);
        let run = run(&mut command);
        assert_eq!(run.code, 2, "{transport}: {run:?}");
        assert_eq!(outcome(&run.json()), ("nothing_done", "credentials_refused"));
        assert_eq!(server.transcript().len(), 1, "one login and nothing else");
    });
}

#[test]
fn a_refused_token_is_tried_once_more_without_credentials() {
    each_transport(|transport| {
        let server = server();
        let mut command = capture(&ORDER);
        command.env("CAPTURE_ENVIRONMENT", server.base_url()).env(TOKEN.0, TOKEN.1);
        let run = run(command.args(["--json", "--transport", transport]));
        assert_eq!(run.code, 2, "{transport}: {run:?}");
        assert_eq!(outcome(&run.json()), ("nothing_done", "unauthorized"));
        assert_eq!(server.transcript().len(), 2, "its issuer's clock may be ahead");
    });
}

#[test]
fn a_token_that_expires_on_the_way_is_replaced_once() {
    each_transport(|transport| {
        let server = server();
        let order = order(&server);
        server.script(Script::status(401));
        let run = simple(&server, &order.to_string(), &["--json", "--transport", transport]);
        assert_eq!(run.code, 0, "{transport}: {run:?}");
        assert_eq!(operations(&run.json()), ["capture", "capture"]);
        assert_eq!((server.logins(), server.ledger().captures(order)), (2, 1));
    });
}

#[test]
fn a_port_without_a_listener_means_nothing_done() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    each_transport(|transport| {
        for (variables, reason) in [
            (&[TOKEN][..], "never_sent"),
            (&[("CAPTURE_APP_KEY", KEY), ("CAPTURE_APP_SECRET", SECRET)], "login_not_sent"),
        ] {
            let mut command = capture(&ORDER);
            command.args(["--json", "--max-sends", "1", "--transport", transport]);
            command.env("CAPTURE_ENVIRONMENT", &url).envs(variables.iter().copied());
            let run = run(&mut command);
            assert_eq!(run.code, 2, "{transport}: {run:?}");
            assert_eq!(outcome(&run.json()), ("nothing_done", reason));
        }
    });
}

fn with_file(server: &capture_sandbox::Server, path: &Path) -> Run {
    let mut command = capture(&ORDER);
    command.env("CAPTURE_ENVIRONMENT", server.base_url());
    run(command.arg("--credentials").arg(path))
}

fn private_file(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}
