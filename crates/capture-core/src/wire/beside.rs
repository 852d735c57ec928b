//! The members beside the word in a reply to a capture: what they say against it, and the reason that
//! they give. The table is in `docs/protocol.md` too, and a test holds the two together.

use serde_json::value::RawValue;

use super::entries::{ApiError, MOST_ERRORS, is_blank, read_error, read_errors};
use super::json::{self, Names, Scalar, Unreadable, fold};
use crate::text::printable;

/// How a member is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// A word, or a number like a status of HTTP.
    Word,
    /// A word about the order or the payment.
    State,
    /// The code of a processor.
    Code,
    /// Only there if something failed.
    Failure,
}

const TABLE: [(&str, Reads); 14] = [
    ("result", Reads::Word),
    ("statusCode", Reads::Word),
    ("responseCode", Reads::Code),
    ("responseMessage", Reads::Word),
    ("message", Reads::Word),
    ("data", Reads::Word),
    ("orderStatus", Reads::State),
    ("statusName", Reads::State),
    ("transactionStatus", Reads::State),
    ("error", Reads::Failure),
    ("errorCode", Reads::Failure),
    ("errorMessage", Reads::Failure),
    ("declineCode", Reads::Failure),
    ("declineReason", Reads::Failure),
];

/// Words that no captured order goes with.
const NOT_CAPTURED: [&str; 39] = [
    "FAILED",
    "FAIL",
    "FAILURE",
    "ERROR",
    "DECLINED",
    "DECLINE",
    "REJECTED",
    "REFUSED",
    "DENIED",
    "UNSUCCESSFUL",
    "INVALID",
    "CANCELLED",
    "CANCELED",
    "VOIDED",
    "VOID",
    "EXPIRED",
    "TIMEOUT",
    "TIMEDOUT",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "NOTFOUND",
    "CONFLICT",
    "BADREQUEST",
    "PAYMENTREQUIRED",
    "DONOTHONOR",
    "INSUFFICIENTFUNDS",
    "PENDING",
    "PROCESSING",
    "INPROGRESS",
    "SUBMITTED",
    "ACCEPTED",
    "QUEUED",
    "CHALLENGE",
    "CAPTUREREQUIRED",
    "DRAFT",
    "ONHOLD",
    "PROBLEM",
    "RETURNED",
    "REFUNDED",
];

/// What stands in a member for failures where nothing failed.
const NO_FAILURE: [&str; 10] =
    ["", "NONE", "NULL", "FALSE", "OK", "SUCCESS", "APPROVED", "NOERROR", "NOERRORS", "N/A"];

/// Words of an order that was captured, whatever the reply says.
const CAPTURED: [&str; 6] = ["CAPTURED", "COMPLETED", "SETTLED", "SUCCESS", "RETURNED", "REFUNDED"];

/// ISO 8583, field 39: these approve; 10 approves a part only, and is none of them.
const APPROVALS: [&str; 5] = ["00", "08", "11", "16", "85"];

/// The names of the table.
pub(super) const NAMES: Names<{ TABLE.len() }> = {
    let (mut names, mut at) = ([""; TABLE.len()], 0);
    while at < names.len() {
        names[at] = TABLE[at].0;
        at += 1;
    }
    Names::new(names)
};

/// The members of the table, as they are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beside<'a>([Option<&'a RawValue>; TABLE.len()]);

impl<'a> Beside<'a> {
    /// The members in this body.
    pub(super) fn of(body: &'a [u8]) -> Result<Self, Unreadable> {
        json::members(body, &NAMES).map(Self)
    }

    /// The member that contradicts SUCCESS, and what it is.
    pub(crate) fn against_success(&self) -> Option<String> {
        let in_object = |(name, raw): (&'static str, &'a RawValue)| match Object::read(raw) {
            Ok(object) => object.against_success(name),
            Err(_) => Some(named(name, raw)), // a member twice: neither is believed
        };
        self.own_against_success().or_else(|| self.objects().find_map(in_object))
    }

    fn own_against_success(&self) -> Option<String> {
        self.first(|reads, raw| match scalar(raw) {
            Scalar::Nested if reads == Reads::Failure => !is_blank(Some(raw)),
            value => reads.is_against_success(&value),
        })
    }

    /// The member that contradicts FAILED, and what it is.
    pub(crate) fn against_failed(&self) -> Option<String> {
        self.first(|reads, raw| {
            let value = scalar(raw);
            reads == Reads::State && value.text().is_some_and(|word| is_one_of(&CAPTURED, word))
        })
    }

    /// What `errors` says, and then the reason that these members give, each thing once.
    pub(crate) fn add_reasons(&self, mut list: Vec<ApiError>) -> Vec<ApiError> {
        self.add_own_reasons(&mut list);
        for object in self.objects().filter_map(|(_, raw)| Object::read(raw).ok()) {
            for error in read_errors(object.errors).unwrap_or_default() {
                add(&mut list, error);
            }
            object.beside.add_own_reasons(&mut list);
        }
        list
    }

    fn add_own_reasons(&self, list: &mut Vec<ApiError>) {
        read_error(self.get("error")).into_iter().for_each(|error| add(list, error));
        let messages = ["responseMessage", "errorMessage", "declineReason", "message", "result"];
        let codes = ["responseCode", "errorCode", "declineCode", "statusCode"];
        let message = messages.into_iter().find_map(|name| match scalar(self.get(name)?) {
            Scalar::Text(text) if !is_empty_phrase(&text) => Some(printable(&text, 400)),
            _ => None,
        });
        let code = codes.into_iter().find_map(|name| match scalar(self.get(name)?) {
            // The status of the request, which may well have been read.
            value if name == "statusCode" && !Reads::Word.is_against_success(&value) => None,
            Scalar::Text(text) if !is_empty_phrase(&text) => Some(printable(&text, 400)),
            Scalar::Number(Some(number)) => Some(number.to_string()),
            _ => None,
        });
        if message.is_some() || code.is_some() {
            add(list, ApiError { message: message.unwrap_or_default(), code, field: None });
        }
    }

    fn first(&self, is_it: impl Fn(Reads, &RawValue) -> bool) -> Option<String> {
        let mut members = TABLE.into_iter().zip(self.0).filter_map(|(row, raw)| Some((row, raw?)));
        let ((name, _), raw) = members.find(|((_, reads), raw)| is_it(*reads, raw))?;
        Some(named(name, raw))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let at = TABLE.into_iter().position(|(known, _)| known == name);
        at.and_then(|at| self.0[at])
    }

    /// The members that are objects with members of their own, which are read one level deep.
    fn objects(&self) -> impl Iterator<Item = (&'static str, &'a RawValue)> {
        let raw = ["result", "data"].map(|name| (name, self.get(name)));
        let is_object = |raw: &&RawValue| raw.get().starts_with('{');
        raw.into_iter().filter_map(move |(name, raw)| Some((name, raw.filter(is_object)?)))
    }
}

impl Reads {
    fn is_against_success(self, value: &Scalar<'_>) -> bool {
        match value {
            Scalar::Nothing | Scalar::Nested | Scalar::Number(Some(0)) => false,
            Scalar::Bool(flag) => *flag == (self == Self::Failure),
            Scalar::Number(_) if self == Self::Failure => true,
            Scalar::Number(number) => number.is_some_and(|number| self.is_refusal(number)),
            Scalar::Text(text) if self == Self::Failure => {
                !is_one_of(&NO_FAILURE, text) && text.bytes().any(|b| b != b'0')
            }
            Scalar::Text(text) => match text.trim() {
                text if !text.bytes().all(|b| b.is_ascii_digit()) => is_one_of(&NOT_CAPTURED, text),
                code if self == Self::Code && code.len() == 2 => !APPROVALS.contains(&code),
                digits => digits.parse().is_ok_and(|number| self.is_refusal(number)),
            },
        }
    }

    /// The page about errors makes six digits of a status and three more. The one recorded code of
    /// a processor is 2001; the family that it belongs to declines with 2000 to 3999.
    fn is_refusal(self, number: i64) -> bool {
        match number {
            400_000..=599_999 | 400..=599 => true,
            2_000..=3_999 => self == Self::Code,
            202 | 300..=399 => self != Self::Code,
            _ => false,
        }
    }
}

/// An object beside the word: it may hold a word, a flag and errors of its own.
struct Object<'a> {
    words: [Option<&'a RawValue>; 2],
    success: Option<&'a RawValue>,
    errors: Option<&'a RawValue>,
    beside: Beside<'a>,
}

impl<'a> Object<'a> {
    fn read(raw: &'a RawValue) -> Result<Self, Unreadable> {
        let names = const { &Names::new(["captureStatus", "status", "success", "errors"]) };
        let body = raw.get().as_bytes();
        let [capture_status, status, success, errors] = json::members(body, names)?;
        let beside = Beside::of(body)?;
        Ok(Self { words: [capture_status, status], success, errors, beside })
    }

    fn against_success(&self, name: &str) -> Option<String> {
        let words = ["captureStatus", "status"].into_iter().zip(self.words);
        let against = |raw: &RawValue| Reads::Word.is_against_success(&scalar(raw));
        let word = words.filter_map(|(name, raw)| Some((name, raw?))).find(|(_, raw)| against(raw));
        let failure = [("success", self.success.filter(|raw| against(raw)))];
        let errors = [("errors", self.errors.filter(|_| !is_blank(self.errors)))];
        let own = failure.into_iter().chain(errors).find_map(|(name, raw)| Some((name, raw?)));
        let inner = match word.or(own) {
            Some((name, raw)) => named(name, raw),
            None => self.beside.own_against_success()?,
        };
        Some(format!("{name}.{inner}"))
    }
}

/// A member's value; text that cannot be read says nothing.
fn scalar(raw: &RawValue) -> Scalar<'_> {
    Scalar::read("", Some(raw)).unwrap_or_default()
}

fn is_one_of(words: &[&str], word: &str) -> bool {
    words.contains(&&*fold(word))
}

/// Whether a text gives no reason: it only says that something failed, or that nothing did.
fn is_empty_phrase(text: &str) -> bool {
    ["FAILED", "FAIL"].contains(&&*fold(text)) || is_one_of(&NO_FAILURE, text)
}

/// Adds an entry, unless the list says the same already.
fn add(list: &mut Vec<ApiError>, error: ApiError) {
    let same = |known: &ApiError| match error.message.is_empty() {
        true => known.code == error.code,
        false => known.message == error.message,
    };
    if list.len() < MOST_ERRORS && !list.iter().any(same) {
        list.push(error);
    }
}

fn named(name: &str, raw: &RawValue) -> String {
    format!("{name} is {}", printable(raw.get(), 60))
}
