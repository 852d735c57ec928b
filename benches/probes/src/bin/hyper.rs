//! `capture-hyper`.

fn main() {
    let (setup, capture) = capture_probes::inputs();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let client = capture_hyper::Client::new(setup).expect("a client");
    println!("{}", runtime.expect("a runtime").block_on(client.capture(&capture)));
}
