//! Texts that come in, all the way into the database of the real binary: each once, whatever is pulled or
//! killed between.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails as it should"
)]

#[expect(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use simpost::emulator::{Emulator, Settings};
use support::{DEADLINE, Gateway};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const LONG: &str = "Добрий день! Чи можна змінити адресу доставки замовлення 1042 на вулицю Шевченка, 17? \
    Якщо так, то коли його чекати, і чи треба щось доплатити? Дякую.";

/// Emulated modems in this process, and a daemon on them.
struct Shop {
    emulator: Emulator,
    gateway: Gateway,
    _dir: TempDir,
}

impl Shop {
    /// `before` lies on the SIM already when the daemon starts.
    async fn open(before: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let emulator = Emulator::start(&Settings::new(1, dir.path().join("modems"))).unwrap();
        for text in before {
            emulator
                .network()
                .deliver(0, "+447700900456", text)
                .await
                .unwrap();
        }
        let port = emulator.ports().remove(0);
        let section = format!(
            "[modems]\nreopen_wait_s = 1\n[[modem]]\nport = \"{}\"\n",
            port.display()
        );
        let gateway = Gateway::start(0, &section).await;
        Self {
            emulator,
            gateway,
            _dir: dir,
        }
    }

    async fn is_ready(&self) {
        let ready = |list: &serde_json::Value| list["data"][0]["state"] == "ready";
        self.gateway.wait_until("/v1/modems", ready).await;
    }

    /// Sender and text of all that came in, in order.
    fn inbox(&self) -> Vec<(String, String)> {
        let path = self.gateway.data.join("simpost.db");
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        db.busy_timeout(Duration::from_secs(5)).unwrap();
        let mut rows = db
            .prepare("SELECT sender, text FROM inbound WHERE missing = 0 ORDER BY id")
            .unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }

    async fn until(&self, texts: usize) -> Vec<(String, String)> {
        let end = Instant::now() + DEADLINE;
        loop {
            let inbox = self.inbox();
            if inbox.len() >= texts {
                return inbox;
            }
            assert!(Instant::now() < end, "{inbox:?}\n{}", self.gateway.log());
            sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn texts_come_in_whether_the_daemon_was_there_or_not() {
    let mut shop = Shop::open(&["before", LONG]).await;
    let inbox = shop.until(2).await;
    let from = |text: &str| ("+447700900456".to_owned(), text.to_owned());
    assert_eq!(inbox, [from("before"), from(LONG)]);
    shop.emulator
        .network()
        .deliver(0, "Shop", LONG)
        .await
        .unwrap();
    let inbox = shop.until(3).await;
    assert_eq!(inbox.last(), Some(&("Shop".to_owned(), LONG.to_owned())));
    // The SIM is empty: nothing comes a second time.
    shop.gateway.restart_daemon().await;
    shop.emulator
        .network()
        .deliver(0, "Shop", "after")
        .await
        .unwrap();
    shop.until(4).await;
    assert_eq!(shop.inbox().len(), 4);
    shop.emulator.stop().await;
}

#[tokio::test]
async fn no_text_is_lost_or_doubled_however_often_the_daemon_is_killed() {
    let mut shop = Shop::open(&[]).await;
    let mut sent = Vec::new();
    for round in 0..5_u64 {
        shop.is_ready().await;
        for number in 0..4 {
            let text = format!("text {number} of round {round}");
            shop.emulator
                .network()
                .deliver(0, "Shop", &text)
                .await
                .unwrap();
            sent.push(text);
        }
        // Somewhere between the announcement, the commit and the deletion.
        sleep(Duration::from_millis(round * 3)).await;
        shop.gateway.restart_daemon().await;
    }
    let inbox = shop.until(sent.len()).await;
    let mut texts: Vec<_> = inbox.into_iter().map(|(_, text)| text).collect();
    // Those of one second come as they lie on the SIM.
    texts.sort_unstable();
    sent.sort_unstable();
    assert_eq!(texts, sent);
    shop.emulator.stop().await;
}
