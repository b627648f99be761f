//! The way to the running daemon: HTTP over the socket in its data directory, or over its address
//! with a key.

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::answer::{list, text};
use super::exit::{Exit, Failure};
use super::output::harmless;
use crate::daemon;

/// Longer than the daemon gives itself for a request.
const ANSWER: Duration = Duration::from_secs(40);

/// A connection to a daemon.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
    place: PathBuf,
}

impl Client {
    /// To the daemon that works on `data_dir`; the socket's file mode is the permission.
    pub fn new(data_dir: &Path) -> Result<Self, Failure> {
        let place = daemon::socket(data_dir);
        let http = builder()
            .unix_socket(place.as_path())
            .build()
            .map_err(Failure::failed)?;
        Ok(Self {
            http,
            base: "http://localhost".into(),
            key: None,
            place,
        })
    }

    /// To the daemon at an address, as any program of the shop would.
    pub fn over_network(address: std::net::SocketAddr, key: String) -> Result<Self, Failure> {
        let http = builder().build().map_err(Failure::failed)?;
        let base = format!("http://{address}");
        Ok(Self {
            http,
            place: base.clone().into(),
            base,
            key: Some(key),
        })
    }

    /// `GET path`
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, None).await
    }

    /// `GET path` with a query; its values may hold anything.
    pub async fn get_with(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let mut url =
            reqwest::Url::parse(&format!("{}{path}", self.base)).map_err(Failure::failed)?;
        url.query_pairs_mut().extend_pairs(query);
        let asked = format!("{path}?{}", url.query().unwrap_or_default());
        self.get(&asked).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// `DELETE path`
    pub async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::DELETE, path, None).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let answer = response
            .bytes()
            .await
            .map_err(|error| self.unreachable(error))?;
        if status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        let answer: Value = serde_json::from_slice(&answer).map_err(Failure::failed)?;
        if status.is_success() {
            Ok(answer)
        } else {
            Err(refused(status, &answer))
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let place = self.place.display();
        let system = system_error(&error);
        let kind = system.map(std::io::Error::kind);
        let (exit, words, hint) = if error.is_timeout() {
            (
                Exit::TimedOut,
                "does not answer in time",
                "its log may say what holds it up",
            )
        } else if kind == Some(ErrorKind::PermissionDenied) {
            let hint = "run the command as the daemon's user, or as a member of its group";
            (Exit::NoDaemon, "may not be asked by you", hint)
        } else {
            let hint = "start it with `simpost serve`, or name its directory with --data";
            (Exit::NoDaemon, "is not reachable", hint)
        };
        let words = format!("the daemon at `{place}` {words}");
        // What the system says is enough; the layers between only repeat it.
        let failure = match system {
            Some(system) => anyhow::anyhow!("{words}: {system}"),
            None => anyhow::Error::new(error).context(words),
        };
        Failure::new(exit, failure).hint(hint)
    }
}

fn builder() -> reqwest::ClientBuilder {
    // A proxy of the environment is for the world outside, not for this machine.
    reqwest::Client::builder().no_proxy().timeout(ANSWER)
}

/// What the system said, under all the layers of the HTTP client.
fn system_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a std::io::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        cause = error.source();
    }
    None
}

/// A problem document in words: the detail, then each field's own.
fn refused(status: StatusCode, problem: &Value) -> Failure {
    let flaws = list(problem, "/errors");
    let mut lines = vec![harmless(text(problem, "/detail"))];
    if flaws.len() > 1 {
        let flaw = |flaw| format!("  {}: {}", text(flaw, "/pointer"), text(flaw, "/detail"));
        lines.extend(flaws.iter().map(flaw).map(|line| harmless(&line)));
    }
    // What is not there, or has gone on meanwhile, is no wrong use.
    let of_use = status.is_client_error()
        && status != StatusCode::NOT_FOUND
        && status != StatusCode::CONFLICT;
    let exit = if of_use { Exit::Usage } else { Exit::Failed };
    Failure::new(exit, anyhow::anyhow!("{}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn nobody_at_the_socket_is_told_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let failure = Client::new(dir.path())
            .unwrap()
            .get("/healthz")
            .await
            .unwrap_err();
        let socket = dir.path().join("simpost.sock");
        let expected = format!(
            "the daemon at `{}` is not reachable: No such file or directory (os error 2)",
            socket.display()
        );
        assert_eq!(failure.to_string(), expected);
        assert_eq!(failure.exit(), Exit::NoDaemon);
    }

    #[test]
    fn a_problem_is_told_with_all_its_fields() {
        let flaw = |pointer: &str, detail: &str| json!({"pointer": pointer, "detail": detail});
        let one = json!({"detail": "`to` is missing", "errors": [flaw("/to", "`to` is missing")]});
        let flaws = [flaw("/to", "`to` is missing"), flaw("/text", "\u{1b}[2J")];
        let two = json!({"detail": "2 fields are not valid", "errors": flaws});
        let told = "2 fields are not valid\n  /to: `to` is missing\n  /text: \u{fffd}[2J";
        let gone = json!({"detail": "there is no such message"});
        let cases = [
            (422, &one, "`to` is missing", Exit::Usage),
            (422, &two, told, Exit::Usage),
            (404, &gone, "there is no such message", Exit::Failed),
            (503, &gone, "there is no such message", Exit::Failed),
        ];
        for (status, problem, words, exit) in cases {
            let failure = refused(StatusCode::from_u16(status).unwrap(), problem);
            assert_eq!(
                (failure.to_string().as_str(), failure.exit()),
                (words, exit)
            );
        }
    }
}
