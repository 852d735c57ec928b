//! The engine and the service as processes of their own, which can be killed and started again.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use std::{env, io};

use capture_sandbox::Server;
use reqwest::Client;
use serde_json::json;
use tokio::time::sleep;

use crate::dice::Dice;
use crate::{Failed, Wanted};

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/restate.toml");

pub(crate) struct Engine {
    server: Command,
    service: Command,
    running: [Option<Child>; 2],
    ports: [u16; 4],
    directory: PathBuf,
    pub(crate) http: Client,
}

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Server,
    Service,
}

impl Engine {
    /// Starts both, in a directory of their own, and makes them known to each other.
    pub(crate) async fn start(wanted: &Wanted, sandbox: &Server) -> Result<Self, Failed> {
        let directory = env::temp_dir().join(format!("capture-restate-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        let ports = free_ports();
        let [ingress, admin, node, service_port] = ports.map(|port| port.to_string());
        let mut server = Command::new(&wanted.server);
        server.args(["-c", CONFIG, "--node-name", "proof", "--no-logo", "--base-dir"]);
        server.arg(directory.join("data"));
        server.env("RESTATE_INGRESS__BIND_PORT", ingress);
        server.env("RESTATE_ADMIN__BIND_PORT", admin);
        server.env("RESTATE_BIND_PORT", node);
        let this = env::current_exe()?;
        let mut service = match &wanted.broken {
            Some(_) => Command::new(&this),
            None => Command::new(this.with_file_name("capture-restate")),
        };
        service.args(wanted.broken.iter().flat_map(|name| ["--serve", name]));
        service.env("CAPTURE_LISTEN", format!("127.0.0.1:{service_port}"));
        service.env("CAPTURE_ENVIRONMENT", sandbox.base_url());
        service.env("CAPTURE_APP_KEY", sandbox.app_key());
        service.env("CAPTURE_APP_SECRET", sandbox.app_secret());
        service.env("CAPTURE_DEADLINE", "6").env("CAPTURE_PAUSES", "0.2,0.5,1");
        // A connection that survived the engine would be a connection to nobody.
        let http = Client::builder().pool_max_idle_per_host(0).no_proxy().build()?;
        let running = [None, None];
        let mut engine = Self { server, service, running, ports, directory, http };
        engine.run(Part::Server)?;
        engine.run(Part::Service)?;
        engine.is_up().await?;
        let admin = engine.admin("deployments");
        let body = json!({ "uri": format!("http://127.0.0.1:{}", engine.ports[3]) });
        let reply = engine.http.post(admin).json(&body).send().await?;
        if !reply.status().is_success() {
            return Err(
                format!("the engine does not take the service: {}", reply.text().await?).into()
            );
        }
        Ok(engine)
    }

    pub(crate) fn run(&mut self, part: Part) -> io::Result<()> {
        let log = File::options().create(true).append(true).open(self.log(part))?;
        let command = match part {
            Part::Server => &mut self.server,
            Part::Service => &mut self.service,
        };
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        self.running[part as usize] = Some(child);
        Ok(())
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self, part: Part) -> io::Result<()> {
        if let Some(mut child) = self.running[part as usize].take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Waits until the engine answers on its ingress and its administration.
    pub(crate) async fn is_up(&mut self) -> Result<(), Failed> {
        let urls = [(0, "restate/health"), (1, "health")];
        for (port, path) in urls {
            let url = format!("http://127.0.0.1:{}/{path}", self.ports[port]);
            let began = Instant::now();
            while !self.http.get(&url).send().await.is_ok_and(|reply| reply.status().is_success()) {
                if began.elapsed() > Duration::from_secs(60) {
                    let log = fs::read_to_string(self.log(Part::Server))?;
                    return Err(format!("the engine does not start:\n{log}").into());
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
        for child in self.running.iter_mut().flatten() {
            if let Some(status) = child.try_wait()? {
                let log = fs::read_to_string(self.log(Part::Service))?;
                return Err(format!("a process ended by itself ({status}):\n{log}").into());
            }
        }
        Ok(())
    }

    /// The URL of a handler, for this key.
    pub(crate) fn url(&self, key: &str, handler: &str) -> String {
        format!("http://127.0.0.1:{}/Order/{key}/{handler}", self.ports[0])
    }

    /// A URL of the engine's administration.
    pub(crate) fn admin(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.ports[1])
    }

    pub(crate) fn id(&self, part: Part) -> Option<u32> {
        self.running[part as usize].as_ref().map(Child::id)
    }

    pub(crate) fn log(&self, part: Part) -> PathBuf {
        self.directory.join(format!("{part:?}.log").to_lowercase())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for child in self.running.iter_mut().flatten() {
            let _ = child.kill().and_then(|()| child.wait().map(drop));
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Below those that the system gives to connections: one of these would take the port of a process that
/// was killed.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let mut dice = Dice(u64::from(std::process::id()));
    let held = [(); N].map(|()| {
        loop {
            let port = 15_000 + dice.below(17_000) as u16;
            if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
                break listener;
            }
        }
    });
    held.map(|listener| listener.local_addr().expect("it is bound").port())
}
