//! What the service manager is told (`sd_notify`): that the service is ready, how it goes, that it still goes
//! round, and that it stops. A few lines of text to a datagram socket; without one, nothing.

use std::env;
use std::time::{Duration, Instant};

/// The way to the service manager, if there is one.
#[derive(Debug)]
pub(super) struct Notify(socket::Socket);

impl Notify {
    /// By `NOTIFY_SOCKET`.
    pub(super) fn new() -> Self {
        Self(socket::Socket::new(env::var_os("NOTIFY_SOCKET")))
    }

    /// Says this, such as `READY=1`. What cannot be said is not said: the work does not depend on it.
    pub(super) fn say(&self, state: &str) {
        self.0.send(state);
    }
}

/// When to say that the work goes round.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// How much may pass between two beats; `None` without a watchdog.
    pause: Option<Duration>,
    beat_at: Option<Instant>,
}

/// A service goes round at least so often.
const ROUND: Duration = Duration::from_secs(1);

impl Watchdog {
    /// By `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub(super) fn new() -> Self {
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let is_ours = env::var_os("WATCHDOG_PID").is_none()
            || number("WATCHDOG_PID") == Some(std::process::id().into());
        let limit = number("WATCHDOG_USEC").filter(|micros| *micros > 0 && is_ours);
        Self { pause: limit.map(|micros| pause(Duration::from_micros(micros))), beat_at: None }
    }

    /// The work has gone round.
    pub(super) fn goes_round(&mut self, notify: &Notify) {
        let Some(pause) = self.pause else { return };
        if self.beat_at.is_none_or(|at| at.elapsed() >= pause) {
            self.beat_at = Some(Instant::now());
            notify.say("WATCHDOG=1");
        }
    }
}

/// Beats are at most half of the limit apart, and come with rounds.
fn pause(limit: Duration) -> Duration {
    (limit / 2).saturating_sub(ROUND)
}

#[cfg(unix)]
mod socket {
    use std::ffi::OsString;
    use std::io;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    #[derive(Debug)]
    pub(super) struct Socket(Option<(UnixDatagram, SocketAddr)>);

    impl Socket {
        pub(super) fn new(name: Option<OsString>) -> Self {
            let open = |name: OsString| {
                let socket = UnixDatagram::unbound()?;
                // A manager that does not read must not hold up the work.
                socket.set_nonblocking(true)?;
                Ok::<_, io::Error>((socket, address(name.as_bytes())?))
            };
            Self(name.and_then(|name| open(name).ok()))
        }

        pub(super) fn send(&self, text: &str) {
            if let Some((socket, address)) = &self.0 {
                let _ = socket.send_to_addr(text.as_bytes(), address);
            }
        }
    }

    /// A path, or with `@` a name that is in no file system.
    fn address(name: &[u8]) -> io::Result<SocketAddr> {
        #[cfg(target_os = "linux")]
        if let Some(name) = name.strip_prefix(b"@") {
            use std::os::linux::net::SocketAddrExt as _;
            return SocketAddr::from_abstract_name(name);
        }
        if !name.starts_with(b"/") {
            return Err(io::ErrorKind::Unsupported.into());
        }
        SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))
    }
}

#[cfg(not(unix))]
mod socket {
    use std::ffi::OsString;

    #[derive(Debug)]
    pub(super) struct Socket;

    impl Socket {
        pub(super) fn new(_: Option<OsString>) -> Self {
            Self
        }

        pub(super) fn send(&self, _: &str) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_half_of_the_limit_apart_at_most() {
        for (limit, most_ms) in [(60, 29_000), (10, 4000), (3, 500), (2, 0), (1, 0)] {
            let pause = pause(Duration::from_secs(limit));
            assert_eq!(pause.as_millis(), most_ms, "{limit}");
            assert!(pause.is_zero() || pause + ROUND <= Duration::from_secs(limit) / 2);
        }
    }
}
