//! Why a request was not sent, told from the transport's words.
//!
//! Every HTTP library has errors of its own, and what they share is their text: the system's, that
//! of rustls, and a few words around them. Nothing is decided by it. It chooses the advice and a
//! name for machines; the end-to-end tests hold it to the words of all three adapters.

/// A cause, with its name and what to do about it.
#[derive(Debug)]
pub(crate) struct Cause {
    /// A short, stable name for logs and machines.
    pub(crate) code: &'static str,
    /// One clause.
    pub(crate) advice: &'static str,
    /// Any of these words, in lower case, tells it.
    words: &'static [&'static str],
}

/// The cause that these words name.
pub(crate) fn of(why: &str) -> &'static Cause {
    let why = why.to_lowercase();
    CAUSES.iter().find(|cause| cause.words.iter().any(|word| why.contains(word))).unwrap_or(&OTHER)
}

/// What the machine itself says when the caller stops a capture.
pub(crate) const STOPPED: &str = "the caller stopped the capture";

/// What the machine says when there was no time for anything.
pub(crate) const TOO_LATE: &str = "the deadline passed first";

/// What the machine says about a 421.
pub(crate) const MISDIRECTED: &str = "this server does not serve the API (421)";

// Advice that more than one outcome gives.
pub(crate) const CHECK_CREDENTIALS: &str =
    "Check the credentials and that they belong to this environment";
pub(crate) const CHECK_RIGHTS: &str = "Check that the credentials may capture in this environment";
pub(crate) const CHECK_ORDER: &str = "Check the order id and the environment";
pub(crate) const CHECK_NETWORK: &str = "Check the network to the API";
pub(crate) const CHECK_URL: &str = "Check that the environment's URL leads to the API";
pub(crate) const WAIT_FOR_API: &str = "Wait until the API works again";

/// In this order: what comes first is closer to the cause than what may stand beside it.
const CAUSES: [Cause; 11] = [
    Cause { code: "stopped", advice: "Nothing needs to be fixed", words: &[STOPPED] },
    Cause { code: "deadline", advice: "Allow more time by the deadline", words: &[TOO_LATE] },
    Cause {
        code: "misdirected",
        advice: "Check the environment (its URL does not lead to the API)",
        words: &["does not serve the api"],
    },
    Cause { code: "driver", advice: "Fix the driver", words: &["the driver did not wait"] },
    Cause {
        code: "proxy",
        advice: "Check the proxy's address and that it lets this host through",
        words: &["proxy", "tunnel error", "socks"],
    },
    Cause {
        code: "name_not_resolved",
        advice: "Check the host name in the environment's URL and this machine's name resolution (if this network needs a proxy, name it by --proxy URL)",
        words: &["dns error", "invalid dns name", "failed to lookup address", "host not found"],
    },
    Cause {
        code: "certificate",
        advice: "Check the environment's URL (if something on the way inspects TLS, trust its authority by --ca FILE or Client::with_extra_roots)",
        words: &["certificate"],
    },
    Cause {
        code: "not_tls",
        advice: "Check the port in the environment's URL (what listens there does not speak TLS with us)",
        words: &["corrupt message", "handshake", "fatal alert", "tls"],
    },
    Cause {
        code: "connection_refused",
        advice: "Check the host and the port in the environment's URL (nothing listens there)",
        words: &["connection refused", "os error 10061"],
    },
    Cause {
        code: "unreachable",
        advice: "Check this machine's network and its route to the API",
        words: &["unreachable", "no route to host", "os error 10051", "os error 10065"],
    },
    Cause {
        code: "connection_timed_out",
        advice: "Check the network and the firewalls between this machine and the API (if this network needs a proxy, name it by --proxy URL)",
        words: &["timed out", "timeout", "deadline has elapsed"],
    },
];

const OTHER: Cause =
    Cause { code: "network", advice: "Check the network and the environment", words: &[] };

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_words_of_the_libraries() {
        for (why, code) in [
            (
                "client error (Connect): dns error: failed to lookup address information: Name or service not known",
                "name_not_resolved",
            ),
            ("host not found", "name_not_resolved"),
            ("tcp connect error: Connection refused (os error 111)", "connection_refused"),
            ("io: Connection refused (os error 61)", "connection_refused"),
            ("tcp connect error: deadline has elapsed", "connection_timed_out"),
            ("invalid peer certificate: UnknownIssuer", "certificate"),
            ("received corrupt message of type InvalidContentType", "not_tls"),
            ("tls handshake eof", "not_tls"),
            ("tunnel error: failed to create underlying connection: Connection refused", "proxy"),
            ("Network is unreachable (os error 101)", "unreachable"),
            (super::STOPPED, "stopped"),
            (super::TOO_LATE, "deadline"),
            (super::MISDIRECTED, "misdirected"),
            ("something else", "network"),
        ] {
            assert_eq!(of(why).code, code, "{why}");
        }
    }
}
