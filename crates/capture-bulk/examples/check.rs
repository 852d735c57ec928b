//! How fast a file is checked, and in how much memory:
//! `cargo run --release -p capture-bulk --example check -- [ROWS]`.
//!
//! The rows are made while they are read, so that the memory is the check's alone.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use capture_bulk::{Options, Separator, read};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows: u128 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    println!("{:<34} | {:>9} | {:>9} | {:>8} | peak MiB", "file", "rows", "rows/s", "MB/s");
    for (name, kind) in [
        ("CSV", Kind::Plain),
        ("CSV with reference and deadline", Kind::Full),
        ("JSON lines", Kind::JsonLines),
        ("CSV with a key in each row", Kind::Keys),
    ] {
        let mut file = Made::new(kind, rows);
        let began = Instant::now();
        let mut seen = 0_u128;
        let table = read(&mut file, &Options::default(), |_| {
            seen += 1;
            Ok(())
        })?;
        let seconds = (began.elapsed() - file.making).as_secs_f64();
        assert_eq!((u128::from(table.rows), seen), (rows, rows));
        assert_eq!(table.separator.unwrap_or(Separator::Comma), Separator::Comma);
        let (rate, bytes) = (rows as f64 / seconds, file.bytes as f64 / seconds / 1e6);
        println!("{name:<34} | {rows:>9} | {rate:>9.0} | {bytes:>8.0} | {}", peak());
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Plain,
    Full,
    JsonLines,
    Keys,
}

/// A file that is made while it is read.
struct Made {
    kind: Kind,
    rows: u128,
    next: u128,
    text: Vec<u8>,
    given: usize,
    bytes: usize,
    /// The time that it took to make the rows, which is not the check's.
    making: Duration,
}

impl Made {
    fn new(kind: Kind, rows: u128) -> Self {
        Self { kind, rows, next: 0, text: Vec::new(), given: 0, bytes: 0, making: Duration::ZERO }
    }

    fn header(&self) -> &'static str {
        match self.kind {
            Kind::Plain => "order_id,amount,currency\n",
            Kind::Full => "order_id,amount,currency,reference,capture_before\n",
            Kind::Keys => "order_id,amount,currency,key\n",
            Kind::JsonLines => "",
        }
    }

    fn row(&self) -> String {
        let number = self.next;
        // As scattered as real ones.
        let scattered = |salt: u128| (number * 2 + salt).wrapping_mul(SCATTER);
        let (order, amount) =
            (guid(scattered(1)), format!("{}.{:02}", 10 + number % 990, number % 100));
        let currency = ["USD", "EUR", "GBP"][(number % 3) as usize];
        match self.kind {
            Kind::Plain => format!("{order},{amount},{currency}\n"),
            Kind::Full => {
                let hour = number % 24;
                format!(
                    "{order},{amount},{currency},ORD-{number},2026-11-30T{hour:02}:00:00+01:00\n"
                )
            }
            Kind::Keys => format!("{order},{amount},{currency},{}\n", guid(scattered(2))),
            Kind::JsonLines => format!(
                "{{\"order_id\":\"{order}\",\"amount\":\"{amount}\",\"currency\":\"{currency}\"}}\n"
            ),
        }
    }
}

impl Read for Made {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.text.len() {
            let began = Instant::now();
            self.given = 0;
            self.text.clear();
            if self.next == 0 {
                self.text.extend_from_slice(self.header().as_bytes());
            }
            while self.next < self.rows && self.text.len() < 64 * 1024 {
                self.text.extend_from_slice(self.row().as_bytes());
                self.next += 1;
            }
            self.making += began.elapsed();
        }
        let length = buffer.len().min(self.text.len() - self.given);
        buffer[..length].copy_from_slice(&self.text[self.given..self.given + length]);
        self.given += length;
        self.bytes += length;
        Ok(length)
    }
}

fn guid(number: u128) -> String {
    let hex = format!("{number:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

const SCATTER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// The most memory that this process had, where the system says it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or("unknown".into(), |kib| format!("{:.1}", kib / 1024.0))
}
