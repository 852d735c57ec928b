//! One connection of the server: what it reads, what it does, how it ends.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use super::dialogue::{Act, Do, Endpoint, Meet, Reads, Seen};
use super::http2;
use super::link::Link;
use super::shared::{LONGEST, Shared, lock};
use crate::replies::{captured, granted, later};

/// Four times the longest body allowed.
const FLOOD: usize = 4 << 20;

pub(super) struct Connection<'a> {
    pub(super) shared: &'a Shared,
    pub(super) number: usize,
    /// What is written once the next request has come in.
    pub(super) late: RefCell<Vec<u8>>,
}

impl Connection<'_> {
    pub(super) fn serve(&self, tcp: TcpStream) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(LONGEST))?;
        tcp.set_write_timeout(Some(LONGEST))?;
        let meet = self.shared.dialogue.connections.get(self.number);
        if let Some(Meet::Unread(does)) = meet {
            tcp.peek(&mut [0])?;
            let mut link = tcp;
            self.carry_out(does, &mut link)?;
            self.close(&mut link);
            return Ok(());
        }
        let mut link = match &self.shared.handshake {
            None => Box::new(tcp),
            Some(handshake) => handshake(tcp)?,
        };
        if let Some(Meet::Handshake(does)) = meet {
            self.carry_out(does, &mut *link)?;
        } else if link.is_http2() {
            let record = |endpoint, body| self.record(endpoint, String::new(), body);
            let served = http2::serve(&mut link, &self.shared.dialogue.frames, &record);
            if served.is_err() {
                self.count_as_left();
            }
            served?;
            self.carry_out(&[Do::Finish], &mut *link)?;
        } else {
            while let Some(act) = self.request(&mut *link)? {
                let serves_on = self.carry_out(&act.does, &mut *link);
                self.acting(-1);
                if !serves_on? {
                    break;
                }
            }
        }
        self.close(&mut *link);
        Ok(())
    }

    /// Reads the next request as far as its act says.
    fn request(&self, link: &mut dyn Link) -> io::Result<Option<Act>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if link.read(&mut byte)? == 0 {
                if head.is_empty() {
                    self.count_as_left();
                }
                return Ok(None);
            }
            head.extend_from_slice(&byte);
        }
        link.write_all(&self.late.take())?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let (endpoint, dialogue) = match head.split('?').next().unwrap_or_default() {
            line if line.starts_with("POST /v1/oauth2/token ") => {
                (Endpoint::Token, &self.shared.dialogue.token)
            }
            line if line.starts_with("POST /v1/capture ") => {
                (Endpoint::Capture, &self.shared.dialogue.capture)
            }
            line if line.starts_with("GET /v1/orders/") => {
                (Endpoint::Lookup, &self.shared.dialogue.lookup)
            }
            // Its query was cut off above.
            "GET /v1/orders" => (Endpoint::List, &self.shared.dialogue.list),
            _ => (Endpoint::Other, &self.shared.dialogue.other),
        };
        // Counted and recorded at once, so that no two requests get the same act.
        let nth = self.record(endpoint, head.clone(), Vec::new());
        let count =
            lock(&self.shared.seen)[..nth].iter().filter(|seen| seen.endpoint == endpoint).count();
        let act = dialogue.get(count).cloned().unwrap_or_else(|| {
            Act::say(match endpoint {
                Endpoint::Token => granted(&format!("canary-token-number-{count}")),
                Endpoint::Capture | Endpoint::Other => captured(),
                Endpoint::Lookup | Endpoint::List => later(),
            })
        });
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
            })
            .unwrap_or(0);
        let mut body = vec![
            0;
            match act.reads {
                Reads::Head => 0,
                Reads::Part => 10.min(length),
                Reads::All => length,
            }
        ];
        link.read_exact(&mut body)?;
        lock(&self.shared.seen)[nth].body = body;
        self.acting(1);
        Ok(Some(act))
    }

    /// The client has ended the connection, with nothing under way on it.
    fn count_as_left(&self) {
        *lock(&self.shared.left) += 1;
        self.shared.gone.notify_all();
    }

    /// Counts the acts that are under way.
    fn acting(&self, change: isize) {
        let mut acting = lock(&self.shared.acting);
        *acting = acting.saturating_add_signed(change);
        self.shared.still.notify_all();
    }

    fn record(&self, endpoint: Endpoint, head: String, body: Vec<u8>) -> usize {
        let mut seen = lock(&self.shared.seen);
        seen.push(Seen { endpoint, head, body });
        seen.len() - 1
    }

    /// Does these things in order, and says whether the connection serves on.
    fn carry_out(&self, does: &[Do], link: &mut dyn Link) -> io::Result<bool> {
        for act in does {
            match act {
                Do::Say(bytes) => {
                    link.write_all(&self.addressed(bytes))?;
                    link.flush()?;
                    continue;
                }
                Do::Pause(time) => {
                    thread::sleep(*time);
                    continue;
                }
                Do::Late(bytes) => {
                    self.late.borrow_mut().extend(bytes);
                    continue;
                }
                Do::Drip(bytes) => drip(bytes, link)?,
                Do::Flood(bytes) => {
                    for _ in 0..=(FLOOD / bytes.len()) {
                        link.write_all(bytes)?;
                    }
                    drain(link);
                }
                Do::Hang => drain(link),
                Do::Finish => {
                    link.say_goodbye()?;
                    link.tcp().shutdown(Shutdown::Write)?;
                }
                Do::Truncate => link.tcp().shutdown(Shutdown::Write)?,
                Do::Reset => SockRef::from(link.tcp()).set_linger(Some(Duration::ZERO))?,
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// Closes a connection. What the client still sends is read first, so that the kernel sends a FIN
    /// and not an RST, unless the act asks for an RST.
    fn close(&self, link: &mut dyn Link) {
        let resets = matches!(SockRef::from(link.tcp()).linger(), Ok(Some(Duration::ZERO)));
        if !resets {
            drain(link);
        }
        // The socket closes when its last handle does.
        lock(&self.shared.open).remove(&self.number);
    }

    fn addressed(&self, bytes: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
        let trap = self.shared.trap.unwrap_or(self.shared.address).to_string();
        text.replace("TRAP", &trap).replace("SELF", &self.shared.address.to_string()).into()
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// Writes byte by byte, then spaces, until the client closes.
fn drip(bytes: &[u8], link: &mut dyn Link) -> io::Result<()> {
    link.tcp().set_read_timeout(Some(Duration::from_millis(20)))?;
    for byte in bytes.iter().chain(std::iter::repeat(&b' ')) {
        link.write_all(&[*byte])?;
        link.flush()?;
        match link.read(&mut [0]) {
            Err(error) if is_timeout(&error) => {}
            Ok(1..) => {}
            _ => break,
        }
    }
    Ok(())
}

/// Reads until the client closes.
fn drain(link: &mut dyn Link) {
    let mut buffer = [0; 1024];
    while matches!(link.read(&mut buffer), Ok(1..)) {}
}
