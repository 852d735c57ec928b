//! One HTTP/2 stream: reads a request, asks the sandbox, and sends what it decides as frames.

use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use crate::faults::{
    Action, Drip, End, ErrorCode, Framed, Framing, LONGEST_DELAY, LastStream, Place, Raw, Reply,
    has_body,
};
use crate::server::http1::MAX_BODY;
use crate::server::io::{REQUEST_TIMEOUT, WRITE_TIMEOUT};
use crate::server::shared::Shared;

/// What a stream asks of its connection once everything before it has been sent.
pub(super) enum Ending {
    /// The stream is reset.
    Stream(SendStream<Bytes>, Reason),
    /// The connection ends, and all its streams with it.
    Connection(Raw),
}

/// Serves one request. Errors mean that the client went away.
pub(super) async fn serve(
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
    shared: Arc<Shared>,
    endings: Sender<Ending>,
) {
    let (head, body) = request.into_parts();
    let head = Request::from_parts(head, ());
    let is_head = *head.method() == Method::HEAD;
    let Some(reply) = decide(head, body, &shared).await else { return };
    let mut stream = Stream { respond, endings, is_head };
    let _ = stream.deliver(reply).await;
}

/// What the sandbox decides; `None` if the client went away.
async fn decide(head: Request<()>, mut body: RecvStream, shared: &Shared) -> Option<Reply> {
    if !body.is_end_stream() {
        let ended = shared.handle_head(&head);
        if ended.is_some() {
            return ended;
        }
    }
    let read = async {
        let _place = match body.is_end_stream() {
            true => None,
            false => Some(shared.bodies.acquire().await),
        };
        read(&mut body).await
    };
    let status = match timeout(REQUEST_TIMEOUT, read).await {
        Ok(Ok(Some(body))) => {
            let request = head.map(|()| body);
            return Some(shared.handle(&request));
        }
        Ok(Ok(None)) => StatusCode::PAYLOAD_TOO_LARGE,
        Ok(Err(_)) => return None,
        Err(_) => StatusCode::REQUEST_TIMEOUT,
    };
    Some(shared.refuse(status))
}

/// The body, or `None` if it is too large.
async fn read(body: &mut RecvStream) -> Result<Option<Bytes>, h2::Error> {
    let mut read = BytesMut::new();
    while let Some(part) = body.data().await {
        let part = part?;
        if part.len() > MAX_BODY - read.len() {
            return Ok(None);
        }
        body.flow_control().release_capacity(part.len())?;
        read.extend_from_slice(&part);
    }
    Ok(Some(read.freeze()))
}

struct Stream {
    respond: SendResponse<Bytes>,
    endings: Sender<Ending>,
    is_head: bool,
}

impl Stream {
    async fn deliver(&mut self, reply: Reply) -> Result<(), h2::Error> {
        wait(reply.delay, |context| self.respond.poll_reset(context)).await?;
        match reply.action {
            Action::Respond(response) => {
                let whole = Framed { response, framing: Framing::Length, until: None };
                self.reply(&whole, None, End::Close).await.map(drop)
            }
            Action::Close => self.end(None, End::Close).await,
            Action::Raw(Raw { reply: Some(reply), drip, end, .. }) => {
                let sent = match reply.until {
                    // A head is one frame, so half of it cannot be sent.
                    Some(Place::BeforeReading | Place::AfterReading | Place::MidHead) => None,
                    _ => Some(self.reply(&reply, drip, end).await?),
                };
                match (reply.until, end) {
                    (None, _) if reply.framing.is_sound() => Ok(()),
                    (None, _) => self.end(sent, End::RstStream(ErrorCode::ProtocolError)).await,
                    // The stream has ended, so nothing of it can be held open.
                    (Some(Place::AfterReply), End::Hang) => Ok(()),
                    (Some(_), end) => self.end(sent, end).await,
                }
            }
            Action::Raw(raw) if raw.bytes.is_empty() => self.end(None, raw.end).await,
            // After bytes that are not HTTP/2 the connection is of no use.
            Action::Raw(raw) => self.end_connection(raw).await,
        }
    }

    /// Sends a reply, or the part of it before its place.
    async fn reply(
        &mut self,
        reply: &Framed,
        drip: Option<Drip>,
        end: End,
    ) -> Result<SendStream<Bytes>, h2::Error> {
        let has_body = has_body(&reply.response) && !self.is_head;
        let body = if has_body { reply.response.body().clone() } else { Bytes::new() };
        let is_whole = reply.framing.is_sound() && reply.until != Some(Place::MidBody);
        let body = if is_whole { body } else { body.slice(..body.len() / 2) };
        // A stream that has ended can no longer be reset.
        let ends = is_whole && !(reply.until.is_some() && matches!(end, End::RstStream(_)));
        let trailers = (ends && reply.framing == Framing::Trailers).then(trailers);
        let ends_with_data = ends && trailers.is_none();
        let mut stream =
            self.respond.send_response(head(reply), ends_with_data && body.is_empty())?;
        let size = drip.map_or(usize::MAX, |drip| drip.bytes.max(1));
        let mut left = body;
        let mut is_first = true;
        while !left.is_empty() {
            if let Some(drip) = drip.filter(|_| !is_first) {
                wait(drip.pause(), |context| stream.poll_reset(context)).await?;
            }
            is_first = false;
            let portion = left.split_to(size.min(left.len()));
            let sent = send(&mut stream, portion, ends_with_data && left.is_empty());
            timeout(WRITE_TIMEOUT, sent).await.unwrap_or_else(|_| Err(Reason::CANCEL.into()))?;
        }
        if let Some(trailers) = trailers {
            stream.send_trailers(trailers)?;
        }
        Ok(stream)
    }

    /// Ends this stream, or its connection, after what was `sent` on it.
    async fn end(&mut self, sent: Option<SendStream<Bytes>>, end: End) -> Result<(), h2::Error> {
        match (end, sent) {
            // Only this request hangs; the others on its connection go on.
            (End::Hang, None) => {
                wait(LONGEST_DELAY, |context| self.respond.poll_reset(context)).await?;
            }
            (End::Hang, Some(mut sent)) => {
                wait(LONGEST_DELAY, |context| sent.poll_reset(context)).await?;
            }
            (End::RstStream(code), None) => self.respond.send_reset(reason(code)),
            (End::RstStream(code), Some(sent)) => {
                let _ = self.endings.send(Ending::Stream(sent, reason(code))).await;
            }
            (End::Close | End::Reset | End::GoAway(..), _sent) => {
                let frame = match end {
                    End::GoAway(code, last) => self.goaway(code, last),
                    _ => Bytes::new(),
                };
                return self.end_connection(Raw::bytes(frame, None, end)).await;
            }
        }
        Ok(())
    }

    async fn end_connection(&self, raw: Raw) -> Result<(), h2::Error> {
        let _ = self.endings.send(Ending::Connection(raw)).await;
        // Dropping the stream here would reset it first.
        pending().await
    }

    /// A GOAWAY frame (RFC 9113, section 6.8). The library could only say that it saw this stream.
    fn goaway(&self, code: ErrorCode, last: LastStream) -> Bytes {
        let this = self.respond.stream_id().as_u32();
        let last = match last {
            LastStream::This => this,
            LastStream::Earlier => this.saturating_sub(2),
        };
        let head = [0, 0, 8, 0x7, 0, 0, 0, 0, 0];
        [&head[..], &last.to_be_bytes(), &code.number().to_be_bytes()].concat().into()
    }
}

/// Waits this long. Fails if the client gives up the stream meanwhile.
async fn wait(
    time: Duration,
    given_up: impl FnMut(&mut Context<'_>) -> Poll<Result<Reason, h2::Error>>,
) -> Result<(), h2::Error> {
    if time.is_zero() {
        return Ok(());
    }
    match timeout(time, poll_fn(given_up)).await {
        Ok(reason) => Err(reason?.into()),
        Err(_) => Ok(()),
    }
}

/// Sends a part of a body as fast as the client allows.
async fn send(
    stream: &mut SendStream<Bytes>,
    mut part: Bytes,
    is_last: bool,
) -> Result<(), h2::Error> {
    while !part.is_empty() {
        stream.reserve_capacity(part.len());
        let Some(capacity) = poll_fn(|context| stream.poll_capacity(context)).await else {
            return Err(Reason::CANCEL.into());
        };
        let now = part.split_to(capacity?.min(part.len()));
        stream.send_data(now, is_last && part.is_empty())?;
    }
    Ok(())
}

/// The head of a reply, without the headers that only HTTP/1.1 has.
fn head(reply: &Framed) -> Response<()> {
    let mut head = Response::new(());
    *head.status_mut() = reply.response.status();
    *head.version_mut() = Version::HTTP_2;
    *head.headers_mut() = reply.response.headers().clone();
    let headers = head.headers_mut();
    for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"] {
        headers.remove(name);
    }
    let length = reply.response.body().len() as u64;
    let mut announce = |length: u64| _ = headers.append(header::CONTENT_LENGTH, length.into());
    match reply.framing {
        Framing::Length if has_body(&reply.response) => announce(length),
        Framing::Announced(announced) => announce(announced),
        Framing::TwoLengths => [length, length + 1].into_iter().for_each(announce),
        _ => {}
    }
    head
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([(header::HeaderName::from_static("status"), FAILED)])
}

/// What a client would read if it mistook a trailer for a member of the body.
const FAILED: HeaderValue = HeaderValue::from_static("FAILED");

fn reason(code: ErrorCode) -> Reason {
    code.number().into()
}
