//! `capture-ureq`.

fn main() {
    let (setup, capture) = capture_probes::inputs();
    println!("{}", capture_ureq::Client::new(setup).expect("a client").capture(&capture));
}
