//! What a run of the command printed, which is free of secrets.

use std::process::Output;

use serde_json::Value;

/// Every secret contains this word, and no output of any run may.
const CANARY: &str = "canary";

/// The output of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The one object on stdout.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        assert!(self.stdout.ends_with('\n'), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The output of a finished process, which must be free of secrets.
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = output.status.code().expect("the process was not killed");
        let run = Self { code, stdout: text(output.stdout), stderr: text(output.stderr) };
        for shown in [&run.stdout, &run.stderr] {
            // Every token that the sandbox grants begins with the second one.
            assert!(!shown.contains(CANARY) && !shown.contains("eyJ"), "a secret leaked: {run:?}");
            assert!(!shown.contains("panicked"), "{run:?}");
        }
        run
    }
}
