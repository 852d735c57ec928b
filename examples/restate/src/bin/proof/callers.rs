//! Those who ask: shops that do not know what happens behind the ingress, and ask again until they know.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use capture_sandbox::Server;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Failed;
use crate::dice::Dice;
use crate::world::{ASKED, Order, order};

/// What all callers share.
pub(crate) struct Callers {
    pub(crate) http: Client,
    pub(crate) sandbox: Server,
    pub(crate) dice: Mutex<Dice>,
    /// Up to the key, and after it.
    pub(crate) ingress: String,
    pub(crate) label: String,
    /// No new orders.
    pub(crate) ends: AtomicBool,
    pub(crate) answered: Mutex<Vec<(Order, Value)>>,
    pub(crate) asked: Mutex<Vec<Order>>,
    /// How many were told *unknown*.
    pub(crate) doubts: AtomicUsize,
}

impl Callers {
    /// Asks for one order after the other, until it is told to end.
    pub(crate) fn run(self: &Arc<Self>, tasks: &mut JoinSet<Result<(), Failed>>) {
        let callers = Arc::clone(self);
        tasks.spawn(async move {
            while !callers.ends.load(Ordering::Relaxed) {
                let order = order(&callers.sandbox, &mut callers.dice.lock().expect("no panic"));
                callers.asked.lock().expect("no panic").push(order);
                let answer = callers.capture(order).await?;
                callers.answered.lock().expect("no panic").push((order, answer));
            }
            Ok(())
        });
    }

    /// Asks until there is a decision.
    async fn capture(&self, order: Order) -> Result<Value, Failed> {
        let mut handler = "capture";
        loop {
            match self.ask(order, handler, ASKED).await {
                Some((StatusCode::OK, told)) if told["decided"] == true => return Ok(told),
                // It goes on by itself. A caller only has to look.
                Some((StatusCode::OK, told)) if told["outcome"] == "unknown" => {
                    if handler == "capture" {
                        self.doubts.fetch_add(1, Ordering::Relaxed);
                    }
                    handler = "outcome";
                    sleep(Duration::from_millis(100)).await;
                }
                // Nothing was sent.
                Some((StatusCode::OK, _)) => handler = "capture",
                // While it starts, the ingress itself says that there is no such service.
                Some((_, told)) if told["source"] == "ingress" => {
                    sleep(Duration::from_millis(50)).await;
                }
                Some((status, told)) if status.is_client_error() => {
                    return Err(format!("{}: {status}: {told}", order.id).into());
                }
                // The engine is down, and perhaps has the call, perhaps not.
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// One request, if it is answered.
    pub(crate) async fn ask(
        &self,
        order: Order,
        handler: &str,
        body: &'static str,
    ) -> Option<(StatusCode, Value)> {
        let url = format!("{}/{}~{}/{handler}", self.ingress, self.label, order.id);
        let request = if handler == "outcome" {
            self.http.get(url)
        } else {
            self.http.post(url).header("content-type", "application/json").body(body)
        };
        let reply = request.timeout(Duration::from_secs(30)).send().await.ok()?;
        Some((reply.status(), reply.json().await.ok()?))
    }
}
