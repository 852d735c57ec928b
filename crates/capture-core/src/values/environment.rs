//! Where the API lives: two named environments, or a base URL of your own.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

use super::Invalid;

/// Which API a client talks to. There is no default, so that nobody charges the wrong place.
///
/// ```
/// use capture_core::Environment;
/// let environment: Environment = "sandbox".parse()?;
/// assert_eq!(environment.base_url().to_string(), "https://api-sandbox.flex-charge.com/v1");
/// let own: Environment = "http://127.0.0.1:8787".parse()?;
/// assert_eq!(own.base_url().to_string(), "http://127.0.0.1:8787/v1");
/// # Ok::<(), capture_core::Invalid>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Environment {
    /// FlexFactor's sandbox, `https://api-sandbox.flex-charge.com/v1` (the contract's host).
    Sandbox,
    /// FlexFactor's production, `https://api.flex-charge.com/v1`: **real money**.
    Production,
    /// Any other host, such as the embedded sandbox or the newer flexfactor.io names.
    Custom(BaseUrl),
}

impl Environment {
    /// The base URL that requests go to.
    #[must_use]
    pub fn base_url(&self) -> BaseUrl {
        let named = |host| BaseUrl { origin: format!("https://{host}"), prefix: String::new() };
        match self {
            Self::Sandbox => named("api-sandbox.flex-charge.com"),
            Self::Production => named("api.flex-charge.com"),
            Self::Custom(url) => url.clone(),
        }
    }

    /// Whether it moves **real money**: a production host of FlexFactor's, however it is written.
    ///
    /// ```
    /// use capture_core::Environment;
    /// let by_its_new_name: Environment = "https://API.flexfactor.io.:443/v1".parse()?;
    /// assert!(by_its_new_name.is_production());
    /// # Ok::<(), capture_core::Invalid>(())
    /// ```
    #[must_use]
    pub fn is_production(&self) -> bool {
        let url = self.base_url();
        let host = url.host();
        PRODUCTION_HOSTS.contains(&host.strip_suffix('.').unwrap_or(host))
    }
}

/// Both names of the production host, in lower case. Sources: the contract; the newer pages.
const PRODUCTION_HOSTS: [&str; 2] = ["api.flex-charge.com", "api.flexfactor.io"];

impl FromStr for Environment {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text {
            "sandbox" => Ok(Self::Sandbox),
            "production" => Ok(Self::Production),
            url if url.contains("://") || url.contains('@') => url.parse().map(Self::Custom),
            _ => Err(Invalid::new("environment", text, "must be sandbox, production or a URL")),
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sandbox => f.write_str("sandbox"),
            Self::Production => f.write_str("production"),
            Self::Custom(url) => url.fmt(f),
        }
    }
}

/// Leaves room for an operation's path within every HTTP library's limit.
const LONGEST_URL: usize = 2048;

/// The absolute URL under which the API's `v1` lies. A trailing `/v1` may be written or left out.
///
/// `https` is required; plain `http` is accepted for loopback only. User info, query and fragment
/// are refused. With plain `http`, `localhost` is 127.0.0.1: the name is never looked up, because a
/// resolver may give it any address (RFC 6761, section 6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    prefix: String,
}

impl BaseUrl {
    /// Whether it is on this machine, by an address of loopback or by the name `localhost`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host())
    }

    /// Whether requests are encrypted. Only those to loopback may not be.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }

    /// The host in lower case, without its port.
    fn host(&self) -> &str {
        let (_, authority) = self.origin.split_once("://").unwrap_or_default();
        match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => authority,
        }
    }

    /// The absolute URI of an operation, such as `/capture` below `/v1`.
    pub(crate) fn uri(&self, operation: &str) -> Uri {
        let uri = format!("{}{}/v1{operation}", self.origin, self.prefix);
        uri.try_into().expect("a checked origin and prefix, and a path of our own")
    }
}

impl FromStr for BaseUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let refuse = |rule: &'static str| Invalid::new("environment", text, rule);
        if text.contains('@') {
            let rule = "the URL must not hold a user name or password";
            return Err(Invalid::hidden("environment", rule));
        }
        if text.contains(['?', '#']) {
            return Err(refuse("the URL must have no query and no fragment"));
        }
        let not_a_url = || refuse("is not a URL such as https://api.example.com");
        if text.len() > LONGEST_URL {
            return Err(refuse("the URL must not be longer than 2048 bytes"));
        }
        let uri: Uri = text.parse().map_err(|_| not_a_url())?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(not_a_url());
        };
        let port_is_broken =
            authority.port_u16().is_none() && authority.as_str() != authority.host();
        if authority.host().is_empty() || port_is_broken || authority.port_u16() == Some(0) {
            return Err(not_a_url());
        }
        if *scheme != Scheme::HTTPS && *scheme != Scheme::HTTP {
            return Err(refuse("the scheme must be https"));
        }
        if *scheme == Scheme::HTTP && !is_loopback(authority.host()) {
            return Err(refuse("plain http is for loopback only; use https"));
        }
        let path = uri.path_and_query().map_or("", PathAndQuery::path).trim_end_matches('/');
        let prefix = path.strip_suffix("/v1").unwrap_or(path);
        if !prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b)) {
            return Err(refuse("the path may hold only letters, digits and -._~"));
        }
        if prefix.contains("//") || prefix.split('/').any(|part| part == "." || part == "..") {
            return Err(refuse("the path must not hold //, . or .."));
        }
        let mut authority = authority.as_str().to_ascii_lowercase();
        if *scheme == Scheme::HTTP {
            authority = authority.replacen("localhost", "127.0.0.1", 1);
        }
        Ok(Self { origin: format!("{scheme}://{authority}"), prefix: prefix.to_owned() })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/v1", self.origin, self.prefix)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_spellings_of_a_base_url() {
        for (text, shown) in [
            ("https://api.flexfactor.io", "https://api.flexfactor.io/v1"),
            ("https://api.flexfactor.io/v1/", "https://api.flexfactor.io/v1"),
            ("https://API.example:8443/pay/v1", "https://api.example:8443/pay/v1"),
            ("http://localhost:1", "http://127.0.0.1:1/v1"),
            ("http://LOCALHOST", "http://127.0.0.1/v1"),
            ("https://localhost:8443", "https://localhost:8443/v1"), // its certificate counts
            ("http://127.9.9.9", "http://127.9.9.9/v1"),
            ("http://[::1]:80/", "http://[::1]:80/v1"),
        ] {
            let url: BaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(url.to_string().parse::<BaseUrl>().unwrap(), url);
            assert_eq!(url.uri("/capture").to_string(), format!("{shown}/capture"));
        }
    }

    #[test]
    fn refusals_name_the_rule() {
        for (text, rule) in [
            ("", "sandbox, production or a URL"),
            ("Sandbox", "sandbox, production or a URL"),
            ("staging", "sandbox, production or a URL"),
            ("http://api.example.com", "loopback only"),
            ("http://127.0.0.1.example.com", "loopback only"),
            ("http://localhost.example.com", "loopback only"),
            ("http://pay.localhost", "loopback only"),
            ("http://localhost.", "loopback only"),
            ("http://0.0.0.0", "loopback only"),
            ("ftp://api.example.com", "scheme must be https"),
            ("https://user:secret@api.example.com", "user name or password"),
            ("https://api.example.com?x=1", "no query"),
            ("https://api.example.com#x", "no fragment"),
            ("https://", "is not a URL"),
            ("https://api.example.com:99999", "is not a URL"),
            ("https://api.example.com:0", "is not a URL"),
            ("https://api.example .com", "is not a URL"),
            ("https://\u{430}pi.example.com", "is not a URL"),
            ("https://api.example.com/a/../b", "must not hold"),
            ("https://api.example.com//a", "must not hold"),
            ("https://api.example.com\r\nx: y", "is not a URL"),
        ] {
            let error = text.parse::<Environment>().unwrap_err();
            assert_eq!(error.field(), "environment");
            assert!(error.rule().contains(rule), "{text}: {error}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_production_host_is_known_however_it_is_written() {
        for (text, production) in [
            ("production", true),
            ("https://api.flex-charge.com", true),
            ("https://api.flex-charge.com:443", true),
            ("https://api.flex-charge.com:443/v1/", true),
            ("https://API.Flex-Charge.COM", true),
            ("https://api.flex-charge.com.", true),
            ("https://api.flex-charge.com.:443", true),
            ("https://api.flex-charge.com:8443/gateway", true),
            ("https://api.flexfactor.io", true),
            ("https://API.FLEXFACTOR.IO.:443/v1", true),
            ("sandbox", false),
            ("https://api-sandbox.flex-charge.com:443", false),
            ("https://api-sandbox.flexfactor.io", false),
            ("https://api.flex-charge.com.example", false),
            ("https://example.com/api.flexfactor.io", false),
            ("https://xapi.flexfactor.io", false),
            ("http://127.0.0.1:8787", false),
            ("http://[::1]:8787", false),
        ] {
            let environment: Environment = text.parse().unwrap();
            assert_eq!(environment.is_production(), production, "{text}");
        }
    }

    #[test]
    fn loopback_is_known_by_address_and_name() {
        for (text, loopback, https) in [
            ("http://localhost:1", true, false),
            ("https://localhost", true, true),
            ("https://127.0.0.2:1", true, true),
            ("http://[::1]", true, false),
            ("https://[::1]:443/v1", true, true),
            ("https://[2001:db8::1]", false, true),
            ("https://[2001:db8::1]:443", false, true),
            ("https://localhost.example", false, true),
        ] {
            let url: BaseUrl = text.parse().unwrap();
            assert_eq!((url.is_loopback(), url.is_https()), (loopback, https), "{text}");
        }
    }
}
