//! What a server does with each connection and each request, as data.

use std::time::Duration;

/// What a server does. When a list of acts is used up, the server behaves well: it grants a token, captures,
/// and answers every lookup and list with "come back tomorrow".
#[derive(Debug, Clone, Default)]
pub struct Dialogue {
    /// What the first connections meet; later ones are served.
    pub connections: Vec<Meet>,
    pub token: Vec<Act>,
    pub capture: Vec<Act>,
    pub lookup: Vec<Act>,
    /// Pages of the list of orders.
    pub list: Vec<Act>,
    /// Any other request, such as a CONNECT.
    pub other: Vec<Act>,
    /// The same by frames, for a client that chose HTTP/2.
    pub frames: Vec<Frames>,
}

/// What a connection meets.
#[derive(Debug, Clone)]
pub enum Meet {
    /// The client begins to talk; nothing of that is read, and this is done.
    Unread(Vec<Do>),
    /// The TLS handshake; then nothing more is read, and this is done.
    Handshake(Vec<Do>),
}

/// How one request is met: so much of it is read, then this is done.
#[derive(Debug, Clone)]
pub struct Act {
    pub reads: Reads,
    pub does: Vec<Do>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    Head,
    /// The head and the first ten bytes of the body.
    Part,
    All,
}

/// One thing to do on a connection. The last four end it; without them it goes on serving.
#[derive(Debug, Clone)]
pub enum Do {
    /// Writes this; `TRAP` and `SELF` stand for the addresses of the other server and of this one.
    Say(Vec<u8>),
    /// Waits this long, so that the client has read what was written.
    Pause(Duration),
    /// Writes this once the next request has come in on this connection, before its own reply.
    Late(Vec<u8>),
    /// Writes this byte by byte, for as long as the client listens.
    Drip(&'static [u8]),
    /// Writes this over and over, more than any client should take, and then says nothing.
    Flood(Vec<u8>),
    /// Says nothing, for as long as the client listens.
    Hang,
    /// Sends FIN (over TLS after a `close_notify`) and reads what still comes.
    Finish,
    /// Sends FIN without the `close_notify` that TLS wants.
    Truncate,
    /// Sends RST.
    Reset,
}

impl Act {
    /// Reads the whole request, then says this.
    pub fn say(reply: impl Into<Vec<u8>>) -> Self {
        Self { reads: Reads::All, does: vec![Do::Say(reply.into())] }
    }

    pub fn does(does: Vec<Do>) -> Self {
        Self { reads: Reads::All, does }
    }

    pub fn then(mut self, next: Do) -> Self {
        self.does.push(next);
        self
    }

    pub fn reading(self, reads: Reads) -> Self {
        Self { reads, ..self }
    }
}

/// The capture meets this.
pub fn on_capture(acts: impl Into<Vec<Act>>) -> Dialogue {
    Dialogue { capture: acts.into(), ..Dialogue::default() }
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    pub endpoint: Endpoint,
    pub head: String,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    Token,
    Capture,
    Lookup,
    List,
    Other,
}

/// How one request is met over HTTP/2.
pub type Frames = &'static [Frame];

/// One thing to send, on the stream of the request or for the connection.
#[derive(Debug, Clone, Copy)]
pub enum Frame {
    /// A whole reply with this status, `Retry-After` (`0`: none) and body.
    Reply(u16, u32, &'static str),
    /// The head of a 200, and nothing more.
    Head,
    /// `RST_STREAM` with this code.
    Reset(u32),
    /// `GOAWAY` with this last stream and this code.
    GoAway(u32, u32),
    /// The end of the connection.
    Close,
    /// Nothing more: not even pings are answered.
    Silence,
}
