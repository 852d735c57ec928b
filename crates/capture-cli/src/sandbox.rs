//! `capture sandbox`: serves the sandbox until it is stopped.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;

use capture_core::{Invalid, Money};
use capture_sandbox::{PRESETS, Script, Server, Settings};
use serde::Serialize;

use crate::args::Sandbox;
use crate::config::BadInput;
use crate::drawn;
use crate::exit::Exit;
use crate::file::{self, Readers};
use crate::output;

/// Listens, says where, and waits for Ctrl-C or SIGTERM.
pub(crate) fn run(args: &Sandbox) -> Result<Exit, BadInput> {
    let refuse = |rule: String| Invalid::new("listen", &args.listen, rule);
    let mut address: SocketAddr = args
        .listen
        .parse()
        .map_err(|_| refuse("must be an address and a port such as 127.0.0.1:8787".into()))?;
    if let Some(port) = args.port {
        address.set_port(port);
    }
    let remote = !address.ip().is_loopback();
    if remote && !args.allow_remote {
        let rule = "must be a loopback address such as 127.0.0.1, or use --allow-remote";
        return Err(refuse(rule.into()).into());
    }
    if remote {
        output::note("warning: other machines can reach this sandbox and control it completely");
    }
    let script = script(args.script.as_deref())?;
    let (stop, stopped) = mpsc::channel();
    // A second signal has no receiver any more.
    ctrlc::set_handler(move || _ = stop.send(()))
        .map_err(|error| BadInput::new("signal", format!("Ctrl-C cannot be watched: {error}")))?;
    let settings = Settings { seed: args.seed, remote, ..Settings::default() };
    let mut sandbox = capture_sandbox::Sandbox::builder().listen(address).settings(settings);
    if args.tls.is_some() {
        sandbox = sandbox.tls();
    }
    let server = sandbox.script(script).start().map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            refuse("is in use; choose another port, or 0 for a free one".into())
        }
        _ => refuse(error.to_string()),
    })?;
    if let (Some(path), Some(pem)) = (&args.tls, server.authority_pem()) {
        file::write(path, pem.as_bytes(), Readers::Everyone).map_err(|error| {
            Invalid::new("tls", &path.display().to_string(), format!("cannot be written: {error}"))
        })?;
    }
    drawn::fill(&server, args)?;
    if args.json {
        let (app_key, app_secret) = (server.app_key(), server.app_secret());
        let (base_url, plain_url) = (server.base_url(), server.plain_url());
        output::json(&Ready { base_url: &base_url, plain_url: &plain_url, app_key, app_secret });
    } else {
        output::print(&manual(&server, args));
    }
    // The handler keeps the other end, so this ends with a signal only.
    let _ = stopped.recv();
    Ok(Exit::Yes)
}

/// As many bytes as the sandbox accepts by its control surface.
const LONGEST_SCRIPT: usize = 1024 * 1024;

/// A preset by its name, else a file.
fn script(name: Option<&str>) -> Result<Script, BadInput> {
    let Some(name) = name else { return Ok(Script::default()) };
    if let Ok(preset) = Script::preset(name) {
        return Ok(preset);
    }
    let presets = PRESETS.map(|(name, _)| name).join(", ");
    let bytes = file::read(Path::new(name), LONGEST_SCRIPT);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    let text = text.map_err(|error| {
        let rule = format!("is not a preset ({presets}), and cannot be read as a file: {error}");
        BadInput::new("script", format!("script {name}: {rule}"))
    })?;
    Ok(Script::from_json(&text)?)
}

/// What `--json` prints once the sandbox listens.
#[derive(Serialize)]
struct Ready<'a> {
    /// `https` where it serves TLS.
    base_url: &'a str,
    /// The same port without TLS, so that the control surface can always be reached.
    plain_url: &'a str,
    app_key: &'a str,
    app_secret: &'a str,
}

/// Lines to copy into another shell. The credentials are the sandbox's own and work nowhere else.
fn manual(server: &Server, args: &Sandbox) -> String {
    let (url, key, secret) = (server.plain_url(), server.app_key(), server.app_secret());
    let tls = args.tls.as_ref().map_or_else(String::new, |file| {
        let (url, file) = (server.base_url(), file.display());
        format!("\nWith TLS it is {url}, for clients that trust {file}: capture ... --ca {file}\n")
    });
    let export =
        args.orders.zip(args.export.as_ref()).map_or_else(String::new, |(orders, file)| {
            format!("\n{} names the {orders} orders that wait.\n", file.display())
        });
    let money = Money::parse("100.00", "USD").expect("a good amount");
    let order = server.create_order(money);
    format!(
        "\
The sandbox listens at {url}; Ctrl-C stops it. In another shell:

  export CAPTURE_ENVIRONMENT={url}
  export CAPTURE_APP_KEY='{key}'
  export CAPTURE_APP_SECRET='{secret}'
  capture order {order} --amount 100.00 --currency USD

To make another order, lose the next capture's reply, see what truly happened,
and list everything else:

  curl -d '{{\"amount\": 10000, \"currency\": \"USD\"}}' {url}/_sandbox/orders
  curl -d '{{\"rules\": [{{\"on\": {{\"operation\": \"capture\"}}, \"do\": {{\"close\": true, \"effect\": true}}}}]}}' \\
    {url}/_sandbox/script
  curl {url}/_sandbox/ledger
  curl {url}/_sandbox/
{export}{tls}"
    )
}
