//! The service that the engine calls. All its settings are environment variables; the README lists them.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fmt};

use capture_hyper::{Client, Credentials, Environment, Policy, Setup};
use capture_restate::{Order, Pauses};
use restate_sdk::prelude::{Endpoint, HttpServer};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("capture-restate: {error}");
            ExitCode::from(2)
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let environment: Environment = required("CAPTURE_ENVIRONMENT")?.parse()?;
    let credentials =
        Credentials::new(required("CAPTURE_APP_KEY")?, required("CAPTURE_APP_SECRET")?)?;
    let pauses = match env::var("CAPTURE_PAUSES") {
        Ok(text) => text.parse()?,
        Err(_) => Pauses::default(),
    };
    let mut policy = Policy::default();
    if let Ok(text) = env::var("CAPTURE_DEADLINE") {
        policy = policy.with_deadline(seconds(&text)?);
    }
    let client = Client::new(Setup::new(&environment, credentials).with_policy(policy))?;
    let address = env::var("CAPTURE_LISTEN").unwrap_or("127.0.0.1:9080".to_owned());
    let listener = TcpListener::bind(&address).await;
    let listener = listener.map_err(|error| format!("CAPTURE_LISTEN {address}: {error}"))?;
    let order = Order::new(client, &environment, pauses);
    eprintln!("capture-restate: on {address}, captures at {environment}, keys {}", order.keys());
    HttpServer::new(Endpoint::builder().bind(order.definition()).build()).serve(listener).await;
    Ok(())
}

fn required(name: &'static str) -> Result<String, Missing> {
    env::var(name).map_err(|_| Missing(name))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| format!("CAPTURE_DEADLINE {text}: give seconds"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("CAPTURE_DEADLINE: {error}"))
}

#[derive(Debug)]
struct Missing(&'static str);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not set", self.0)
    }
}

impl Error for Missing {}
