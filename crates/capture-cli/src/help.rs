//! The longer texts of the help: environment variables, exit codes, JSON keys, examples.

pub(crate) const ABOUT: &str = "\
Captures the money of an authorised FlexFactor order exactly once, and says what happened: \
captured, not captured, or unknown.

An unknown outcome is never called a failure: money may have moved. Run the same command again \
to find out: a journal remembers what was sent, and the idempotency key is derived from the order \
unless you give one.";

pub(crate) const AFTER: &str = "\
Environment variables:
  CAPTURE_ENVIRONMENT  sandbox, production or a URL; there is no default
  CAPTURE_TOKEN        a bearer token; or, instead of it,
  CAPTURE_APP_KEY      the API key and
  CAPTURE_APP_SECRET   the API secret to log in with
  CAPTURE_JOURNAL      the journal's file; without it captures.journal in
                       $XDG_STATE_HOME/capture (~/.local/state/capture), on macOS
                       in ~/Library/Application Support/capture, on Windows in
                       %LOCALAPPDATA%\\capture
  CAPTURE_PROXY        a proxy, http://[USER:PASSWORD@]HOST:PORT; the proxies that
                       other variables name (HTTPS_PROXY, ALL_PROXY) are ignored
  A variable that is set but empty is an error. No flag takes a secret.

Exit codes:
  0  captured, or the command is done
  1  definitely not captured; for the other commands: not done, or not printed
  2  nothing done: invalid input or configuration, no connection, no login
  3  unknown: money may have moved; or captured with a caveat (refunded since,
     or in another currency). Hold the goods.
  4  of a list: stopped early; some were not sent, and nothing is unknown

Examples:
  capture demo
  capture sandbox
  capture order 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81 --amount 100.00 \\
    --currency USD
  capture status 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81 --json
  capture explain 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81";

pub(crate) const AFTER_ORDER: &str = "\
The journal:
  The capture is on the disk before its first byte is sent, and its outcome
  before it is printed. Run again, the command shows the recorded outcome and
  sends nothing, or resumes: after a crash or an unknown outcome it begins with
  the order's status. While the order is open, another amount or key is refused;
  once it is captured, another amount is. While another process works on the
  order, nothing is sent. The file belongs to its owner and is on a local disk;
  the captures of all environments share it.

Output:
  Results go to stdout, everything else to stderr. With --json, stdout is one
  object with exactly these keys: order_id, outcome (captured, not_captured,
  nothing_done, nothing_sent, unknown), code, cause (what stands in the way),
  says, recorded_at_ms (when an earlier run recorded the outcome; null if this
  run found it out), unrecorded (why the journal does not have the outcome; null
  if it does), idempotency_key, asked_amount (in minor units), asked_currency,
  captured_amount (null unless the proof shows it), amount_verified, proof (null
  unless captured), caveat (null, refunded or other_currency), errors (all that
  the API said about a refusal), new_key (the key of the next capture, where
  this one must not be used again), obstacle, retry_after_s (the wait that the
  API asked for), due_at_ms (when to look again), attempts (each with its reply,
  where that was a refusal or decided nothing), next_step. Invalid input gives
  {\"error\", \"field\"} instead.

After exit code 2 (nothing done):
  No run that the journal knows has got as far as the order: fix what it names
  and run it again.

After exit code 3 (unknown):
  Run the same command again; the key stays the same. Never capture the order
  with another key before it is decided. With --no-journal, a run that sent
  nothing ends with this code too (nothing_sent): an earlier one may have sent
  the capture, and the command has no record of it.

Exit codes:
  0  captured    1  definitely not captured
  2  nothing done: invalid input or configuration, no connection, no login
  3  unknown: money may have moved; or captured with a caveat; or not recorded.
     Hold the goods.

Examples:
  capture order 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81 --amount 100.00 \\
    --currency USD --journal /var/lib/shop/captures.journal
  capture order 5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81 --amount 100 \\
    --currency JPY --environment production --dry-run";

pub(crate) const AFTER_PLAN: &str = "\
The file has a header with order_id, amount (100.00, with exactly the currency's
decimals) or amount_minor, and currency; key, reference (your own number),
capture_before (RFC 3339) and expected_amount are optional. Every line is
checked, and every fault is printed as FILE:LINE:COLUMN: field value: rule.

With --json: {\"plan\", \"name\", \"captures\", \"totals\", \"captured_before\",
\"open_before\", \"with_deadline\", \"first_deadline\", \"deadlines_past\",
\"deadlines_too_soon\", \"guards\", \"run\", \"confirm\"}; of a file with faults {\"error\", \"field\",
\"problems\", \"more\"}.

Exit codes: 0 it can be run; 2 it cannot, or nothing was read";

pub(crate) const AFTER_RUN: &str = "\
Nothing is sent before every line is checked and the list is in the journal.
What voids first is captured first. A 429 slows the whole run and is no line's
last word; what is in doubt is looked at again in the same run. Ctrl-C or
SIGTERM starts nothing more and waits for what is on its way; a second one ends
the command at once. Run again, the same file goes on: what is decided stays.

With --json, stdout is one object: {\"run\", \"captures\", \"captured\",
\"captured_with_caveat\", \"not_captured\", \"unknown\", \"left\", \"by_outcome\",
\"stopped_by\", \"next_step\"}. The columns of --out and of results: line, order_id,
amount, currency, reference, capture_before, outcome, code, reason,
amount_verified, idempotency_key, attempts, request_id, recorded_at, next_step.

Exit codes (the worst line decides):
  0  all captured          1  all decided, some not captured
  2  nothing was sent      3  something is unknown, or captured with a caveat
  4  stopped early: some were not sent, and nothing is unknown

Examples:
  capture plan orders.csv
  capture run orders.csv --out results.csv
  capture results 1";

pub(crate) const AFTER_REPORT: &str = "\
The file is complete in itself: no script, nothing to load, for a screen in
light and dark and for A4. It has the totals by outcome and currency, outcomes
over time, how long the API took, each line that is not plainly captured with
its reason and what to do (at most 1,000; results has all), and the lines that
were late for their capture_before. It can be made while the list runs. Only
its owner can read it, as the journal.

With --json, stdout is one object: {\"run\", \"html\", \"captures\"}.

Exit codes: 0 the report was made, whatever it says; 2 it was not

Example:
  capture report 1 --html report.html";

pub(crate) const AFTER_SETTLE: &str = "\
It begins nothing new: what may have been sent is looked up, and sent again under
its key where the rules allow it. What a run had claimed when it was killed may
have been sent, as far as the journal knows, and is captured too. Exit codes as those of run.";

pub(crate) const AFTER_WORK: &str = "\
It takes what is in the journal: what the library's enqueue wrote down, lists
that were left, what was interrupted and what is in doubt. What is written down
while it runs begins within about a second. Several on one journal share it.

It ends by a signal, when the journal fails, or when the API refuses the
credentials; never by itself. In an outage it waits, however long that lasts.
A list has guards that a service does not: no captures go one by one first, and
refusals do not stop it.

Ctrl-C or SIGTERM starts nothing more and waits for what is on its way, at most
--grace seconds; a second one ends the command at once.

Under systemd (Type=notify) it says READY=1, STATUS=, STOPPING=1, and WATCHDOG=1
only while the work goes round. The log on stderr has an event for the start,
for each outcome that is unknown or refused, or captured with a caveat, for
brakes and outages, when nothing is left to do, and for the end.

--health serves, to this machine only:
  GET /health   200 while captures can be sent, 503 with the reason while the API
                is out of order or asked to wait, the journal hangs or failed,
                or it is stopping; JSON
  GET /metrics  for Prometheus; no order, no secret, no personal data

With --json, stdout is one object at the end: {\"captured\",
\"captured_with_caveat\", \"not_captured\", \"unknown\", \"stopped_by\",
\"next_step\"}; \"unknown\" counts what this process began and left in doubt.

Exit codes:
  0  stopped by a signal, and nothing that it began is in doubt
  2  invalid input or configuration, or the API refused the credentials before
     anything was sent
  3  something that it began is in doubt, or the journal failed: start it again,
     and it looks that up
  4  the API refuses the credentials by now; nothing that it began is in doubt

Example:
  capture work --journal /var/lib/capture/captures.journal \\
    --credentials /etc/capture/credentials.json --health 127.0.0.1:9184";

pub(crate) const AFTER_DUE: &str = "\
It reads which orders wait at the API, and what the journal and its lists know
of them. When an order voids is known from the capture_before of a list, or from
--window and the time at which it was placed. It captures nothing: capturing
what nobody listed is not this tool's decision.

With --json, stdout is one object: {\"orders\", \"unreadable\", \"is_complete\",
\"void_within\", \"unknown_deadline\"}.

Exit codes: 0; with --within, 1 if an order voids before then, if its deadline
is not known, or if the list is not whole; 2 nothing was read";

pub(crate) const AFTER_EXPLAIN: &str = "\
It sends nothing and needs no credentials. It shows what the journal has: every
attempt, what is certain, what is not, what blocks the order and what to do;
and whether the records form an unbroken chain, or from which one they do not.

With --json, stdout is one object with the keys order_id, environment, captures,
known, not_known, blocked_by, next_step and chain. An order that the journal
does not have gives {\"error\", \"field\"} and exit code 1.

The file of --bundle holds ids, amounts, times, phases, statuses, codes and the
gateway's request ids, and nothing else.";

pub(crate) const AFTER_STATUS: &str = "\
With --json: {\"order_id\", \"status\", \"status_name\", \"next_step\", \"journal\"};
without a status {\"error\", \"field\", \"cause\", \"retry_after_s\", \"next_step\",
\"journal\"}. \"journal\" is what the journal has of the order, or null:
{\"standing\", \"recorded_at_ms\", \"idempotency_key\", \"asked_amount\",
\"asked_currency\"}.";

pub(crate) const AFTER_SANDBOX: &str = "\
The file of --export has the columns order_id, amount, currency, capture_before
and reference.

With --json: one line {\"base_url\", \"plain_url\", \"app_key\", \"app_secret\"} once it listens.";

pub(crate) const AFTER_JOURNAL: &str = "\
With --json, stdout is one object: check {\"records\", \"faults\"}; verify {\"records\",
\"head\", \"broken_at\", \"pruned_to\", \"pruned_at\", \"has_head\"}; backup {\"copied\"}; import
{\"imported\"}; prune {\"removed\"}. Note the head elsewhere: verify --head says
whether the chain still goes through it. What was decided within 30 days is
never removed.

Exit codes: 0 sound, or done; 1 a fault was found; 2 nothing done";
