//! The way to the API: authorities to trust beside the usual ones, and a proxy that is named on purpose.

use std::env;
use std::path::Path;

use capture_core::Environment;
use capture_core::http::Uri;
use capture_core::http::uri::Scheme;

use crate::args::Connection;
use crate::config::{BadInput, variable};
use crate::file;
use crate::output;

/// How connections are made; by default directly, trusting the usual authorities.
#[derive(Default)]
pub(crate) struct Route {
    /// Certificates in PEM, or nothing.
    pub(crate) authorities: Vec<u8>,
    pub(crate) proxy: Option<Proxy>,
}

/// An HTTP proxy that is asked for a tunnel. Its user and password are secrets, so it is never shown.
pub(crate) struct Proxy {
    url: String,
}

impl Proxy {
    /// The whole URL, user and password included: **a secret**.
    pub(crate) fn expose(&self) -> &str {
        &self.url
    }
}

const VARIABLE: &str = "CAPTURE_PROXY";

/// What other programs take their proxy from, and this one does not.
const IGNORED: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

impl Route {
    /// From `--ca`, `--proxy` and `CAPTURE_PROXY`. It says once that any other proxy in the environment is
    /// ignored, unless the target is on this machine.
    pub(crate) fn new(
        connection: &Connection,
        environment: &Environment,
    ) -> Result<Self, BadInput> {
        let authorities = connection.ca.as_deref().map_or(Ok(Vec::new()), authorities)?;
        let proxy = match &connection.proxy {
            Some(url) if url.contains('@') => {
                let rule =
                    "a user and a password do not belong on a command line; use CAPTURE_PROXY";
                return Err(refuse("--proxy", rule));
            }
            Some(url) => Some(proxy("--proxy", url)?),
            None => variable(VARIABLE, "proxy")?.map(|url| proxy(VARIABLE, &url)).transpose()?,
        };
        let target = environment.base_url();
        if proxy.is_some() && !target.is_https() {
            let rule =
                format!("{target} is plain http on this machine, and is reached without a proxy");
            return Err(BadInput::new("proxy", format!("proxy: {rule}")));
        }
        if proxy.is_none() && !target.is_loopback() {
            say_what_is_ignored();
        }
        Ok(Self { authorities, proxy })
    }
}

fn say_what_is_ignored() {
    let is_set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let set: Vec<&str> = IGNORED.into_iter().filter(is_set).collect();
    if !set.is_empty() {
        let set = set.join(", ");
        output::note(&format!("ignored: {set}; to use a proxy, give --proxy URL or {VARIABLE}"));
    }
}

/// The certificates in a file, of which there must be one at least.
fn authorities(file: &Path) -> Result<Vec<u8>, BadInput> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let refuse = |why: &str| BadInput::new("ca", format!("--ca {}: {why}", file.display()));
    let pem = file::read(file, 1024 * 1024).map_err(|error| refuse(&error.to_string()))?;
    if !pem.windows(BEGIN.len()).any(|window| window == BEGIN) {
        return Err(refuse("holds no certificate; give PEM (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(pem)
}

fn proxy(source: &str, url: &str) -> Result<Proxy, BadInput> {
    let rule = "must be a URL such as http://proxy.example:3128";
    let uri: Uri = url.parse().map_err(|_| refuse(source, rule))?;
    if uri.scheme().is_some_and(|scheme| *scheme != Scheme::HTTP) {
        return Err(refuse(source, "the scheme must be http: the tunnel inside is encrypted"));
    }
    let authority = uri.authority().ok_or_else(|| refuse(source, rule))?;
    let has_path = uri.path_and_query().is_some_and(|rest| rest.as_str() != "/");
    let port = authority.port_u16();
    if uri.scheme().is_none() || authority.host().is_empty() || port.is_none() || has_path {
        return Err(refuse(source, rule));
    }
    Ok(Proxy { url: url.to_owned() })
}

/// The value may hold a password, so it is not shown.
fn refuse(source: &str, rule: &str) -> BadInput {
    BadInput::new("proxy", format!("{source}: {rule} (value hidden)"))
}
