//! The real binary as its users have it: an emulator and a daemon as processes, sockets and a database in
//! a fresh directory. All waiting is for something that can be seen, with a deadline.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// Nothing here takes longer, unless it hangs.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// Between two looks at something that does not tell when it changes.
const LOOK: Duration = Duration::from_millis(20);

/// Time on the air and from acceptance to report.
#[derive(Debug, Clone, Copy)]
pub struct Air {
    pub radio: Duration,
    pub report: Duration,
}

impl Air {
    /// As quick as it goes, for tests in which nothing has to be caught on its way.
    pub const QUICK: Self = Self::of_ms(30, 30);

    pub const fn of_ms(radio: u64, report: u64) -> Self {
        Self {
            radio: Duration::from_millis(radio),
            report: Duration::from_millis(report),
        }
    }
}

/// A daemon on emulated modems. Dropping it kills both.
pub struct Gateway {
    /// Where the API listens; another one after a restart.
    pub address: SocketAddr,
    /// A key that may do everything.
    pub key: String,
    pub data: PathBuf,
    /// The links to the emulated modems.
    pub ports: Vec<PathBuf>,
    /// The file with one JSON object a line for all that went over the air.
    pub ledger: PathBuf,
    config: PathBuf,
    daemon: Option<Running>,
    emulator: Option<Running>,
    family: Option<&'static str>,
    air: Air,
    http: reqwest::Client,
    // Last: the processes go before their directory.
    dir: TempDir,
}

impl Gateway {
    /// Starts `modems` quick emulated modems (none: no emulator) and a daemon on them, and waits until
    /// each of these is ready. `extra_config_toml` goes into the configuration file.
    pub async fn start(modems: u16, extra_config_toml: &str) -> Self {
        Self::start_on(Air::QUICK, modems, extra_config_toml).await
    }

    /// The same with a network that takes its time.
    pub async fn start_on(air: Air, modems: u16, extra_config_toml: &str) -> Self {
        Self::start_of(None, air, modems, extra_config_toml).await
    }

    /// The same with modems of a family.
    pub async fn start_of(
        family: Option<&'static str>,
        air: Air,
        modems: u16,
        extra_config_toml: &str,
    ) -> Self {
        let dir = TempDir::new().unwrap();
        let (data, ledger) = (dir.path().join("data"), dir.path().join("ledger.jsonl"));
        let config = dir.path().join("simpost.toml");
        let ports: Vec<PathBuf> = (0..modems)
            .map(|modem| dir.path().join(format!("modems/modem{modem}")))
            .collect();
        let quoted = |path: &Path| format!("\"{}\"", path.display());
        let modem = |port: &PathBuf| format!("[[modem]]\nport = {}\n", quoted(port));
        let sections: Vec<String> = ports.iter().map(modem).collect();
        let toml = format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = {}\n{extra_config_toml}\n{}",
            quoted(&data),
            sections.concat()
        );
        std::fs::write(&config, toml).unwrap();
        let emulator = if modems == 0 {
            None
        } else {
            Some(emulate(dir.path(), modems, family, air).await)
        };
        let mut gateway = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            key: String::new(),
            data,
            ports,
            ledger,
            config,
            daemon: None,
            emulator,
            family,
            air,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            dir,
        };
        let made = gateway
            .run(&["key", "create", "--name", "test", "--scope", "*", "--json"])
            .await;
        gateway.key = made.json()["key"].as_str().unwrap().into();
        gateway.restart_daemon().await;
        gateway
    }

    /// A directory that goes with the gateway.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// What the daemon has said on stderr since its last start.
    pub fn log(&self) -> String {
        let daemon = self.daemon.as_ref();
        daemon.map(Running::said).unwrap_or_default()
    }

    /// The daemon's process.
    pub fn daemon_id(&self) -> u32 {
        self.daemon
            .as_ref()
            .and_then(Running::id)
            .expect("a daemon runs")
    }

    /// The emulator's process.
    pub fn emulator_id(&self) -> u32 {
        self.emulator
            .as_ref()
            .and_then(Running::id)
            .expect("an emulator runs")
    }

    /// Kills the daemon as a power cut would (SIGKILL).
    pub async fn kill_daemon(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.child.kill().await.unwrap();
        }
    }

    /// Ends the daemon in order (SIGTERM) and waits for its end. Returns its exit code.
    pub async fn stop_daemon(&mut self) -> Option<i32> {
        let mut daemon = self.daemon.take().expect("a daemon runs");
        daemon.signal(Signal::TERM);
        daemon.ended().await
    }

    /// Starts the daemon on the same directory, and waits until every modem is ready.
    pub async fn restart_daemon(&mut self) {
        self.kill_daemon().await;
        let mut command = simpost(&["serve", "--config", &text(&self.config)]);
        command.env("HOME", self.dir.path());
        let daemon = Running::start(&mut command);
        let line = daemon.says("simpost listens on http://").await;
        let (_, address) = line.rsplit_once("http://").unwrap();
        self.address = address.parse().unwrap();
        self.daemon = Some(daemon);
        let ours = self.ports.len();
        self.wait_until("/v1/modems", |answer| {
            let modems = answer["data"].as_array().unwrap();
            let ready = |modem: &&Value| modem["state"] == "ready";
            modems.iter().filter(ready).count() >= ours
        })
        .await;
    }

    /// Pulls every modem out: the emulator is killed, its terminals are gone.
    pub async fn unplug(&mut self) {
        if let Some(mut emulator) = self.emulator.take() {
            emulator.child.kill().await.unwrap();
            // As the kernel takes the device away: the terminal's number may be another test's modem soon.
            for port in &self.ports {
                std::fs::remove_file(port).unwrap();
            }
        }
    }

    /// Plugs the modems in again, under the same names.
    pub async fn plug_in(&mut self) {
        let modems = u16::try_from(self.ports.len()).unwrap();
        self.emulator = Some(emulate(self.dir.path(), modems, self.family, self.air).await);
    }

    /// `GET path` with the key: status and body.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(self.http.get(self.url(path))).await
    }

    /// `POST /v1/messages` with the key: status and body.
    pub async fn post(&self, wish: Value) -> (u16, Value) {
        self.ask(self.http.post(self.url("/v1/messages")).json(&wish))
            .await
    }

    /// Any other request.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.bearer_auth(&self.key).send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Sends `text` to `to`; returns the id.
    pub async fn send(&self, to: &str, text: &str) -> String {
        let (status, message) = self.post(json!({"to": to, "text": text})).await;
        assert_eq!(status, 202, "{message}");
        message["id"].as_str().unwrap().to_owned()
    }

    /// Looks at `path` until `seen` holds for the answer, and returns that answer.
    pub async fn wait_until(&self, path: &str, seen: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            let (status, answer) = self.get(path).await;
            if status == 200 && seen(&answer) {
                return answer;
            }
            let log = self.log();
            assert!(
                Instant::now() < end,
                "{path} stays {status} {answer:#}\n{log}"
            );
            sleep(LOOK).await;
        }
    }

    /// Waits until the message is in `state`.
    pub async fn wait_for(&self, id: &str, state: &str) -> Value {
        self.wait_until(&format!("/v1/messages/{id}"), |message| {
            message["state"] == state
        })
        .await
    }

    /// Waits until nothing more is expected of the message.
    pub async fn wait_final(&self, id: &str) -> Value {
        self.wait_until(&format!("/v1/messages/{id}"), |message| {
            message["final"] == true
        })
        .await
    }

    /// All that went over the air so far: the ledger's lines.
    pub fn aired(&self) -> Vec<Value> {
        let lines = std::fs::read_to_string(&self.ledger).unwrap_or_default();
        lines
            .lines()
            // The last line may be half written.
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Runs a command of the program on this gateway's directory, to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, b"").await
    }

    /// The same with something on stdin.
    pub async fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = simpost(arguments);
        command
            .env("HOME", self.dir.path())
            .arg("--config")
            .arg(&self.config);
        ran(&mut command, input).await
    }
}

async fn emulate(dir: &Path, modems: u16, family: Option<&'static str>, air: Air) -> Running {
    let ms = |time: Duration| time.as_millis().to_string();
    let mut command = simpost(&["emulate", "--modems", &modems.to_string()]);
    command
        .args(["--radio-ms", &ms(air.radio), "--report-ms", &ms(air.report)])
        .arg("--dir")
        .arg(dir.join("modems"))
        .arg("--ledger")
        .arg(dir.join("ledger.jsonl"));
    if let Some(family) = family {
        command.args(["--profile", family]);
    }
    let emulator = Running::start(&mut command);
    emulator.says("emulated modems are up").await;
    emulator
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// The program with `arguments`, in an environment that holds no settings.
pub fn simpost(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simpost"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", "/nowhere")
        .kill_on_drop(true);
    command
}

/// Runs a command to its end with `input` on stdin.
pub async fn ran(command: &mut Command, input: &[u8]) -> Ran {
    use tokio::io::AsyncWriteExt;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who needs no input may close it before it is written.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let output = timeout(DEADLINE, child.wait_with_output())
        .await
        .expect("it ends")
        .unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A process that stays, and what it has said on stdout and stderr. Dropping it kills it.
pub struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        tokio::spawn(listen(child.stdout.take().unwrap(), Arc::clone(&said)));
        tokio::spawn(listen(child.stderr.take().unwrap(), Arc::clone(&said)));
        Self { child, said }
    }

    /// Its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Everything it has said so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits for a line that holds `words`, and returns it.
    pub async fn says(&self, words: &str) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            let said = self.said();
            if let Some(line) = said.lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
            assert!(Instant::now() < end, "never said `{words}` but:\n{said}");
            sleep(LOOK).await;
        }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().expect("it runs")).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Waits for its end. Returns its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let ended = timeout(DEADLINE, self.child.wait()).await;
        ended
            .unwrap_or_else(|_| panic!("it goes on:\n{}", self.said()))
            .unwrap()
            .code()
    }
}

async fn listen(from: impl AsyncRead + Unpin, said: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut said = said.lock().unwrap();
        said.push_str(&line);
        said.push('\n');
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
