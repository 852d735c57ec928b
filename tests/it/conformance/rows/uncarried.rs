//! The faults between 1 and 95 that no scripted reply can carry, each with the reason or the place.

/// The number of the fault, and why it has no row.
pub(crate) const UNCARRIED: &[(u32, &str)] = &[
    (2, "a private address is safe because its name must verify: `tls.rs`, the wrong host"),
    (5, "certificates: `tls.rs`"),
    (6, "broken handshakes: `tls.rs`"),
    (7, "the end right after the handshake: `tls.rs`"),
    (
        8,
        "our clients use no proxy (`proxy.rs`); a proxy of the user's own, through all three: `byo.rs`",
    ),
    (
        10,
        "local ports or file handles run out: the tests themselves would fail first; it is a failure to connect, as 3",
    ),
    (11, "cancelled before anything is sent: `cancel.rs`, the first poll"),
    (12, "the journal is the user's; no adapter has one"),
    (16, "cancelled after it was sent: `cancel.rs`"),
    (33, "HTTP/2 frames that say \"not executed\": `http2.rs`"),
    (34, "HTTP/2 frames that say nothing: `http2.rs`"),
    (91, "a thousand captures with one expired token: `crowd.rs`"),
    (92, "a token that somebody else renewed meanwhile: `crowd.rs`"),
    (94, "a secret that is rotated while running: the core takes credentials once"),
];
