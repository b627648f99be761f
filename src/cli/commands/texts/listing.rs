//! A page of the daemon's lists, as a table or as JSON.

use serde_json::Value;

use crate::cli::Place;
use crate::cli::answer::list;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, Cell};

/// How a list is asked for and shown.
pub(super) struct Listing<'a> {
    pub(super) path: &'a str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) heads: &'a [&'a str],
    pub(super) row: fn(&Value) -> Vec<Cell>,
    /// Said where the list is empty.
    pub(super) nothing: &'a str,
    /// Said where it goes on.
    pub(super) more: &'a str,
}

impl Listing<'_> {
    pub(super) async fn show(&self, place: &Place, json: bool) -> Result<Exit, Failure> {
        let page = place.client()?.get_with(self.path, &self.query).await?;
        if json {
            output::json(&page);
            return Ok(Exit::Done);
        }
        let rows: Vec<Vec<Cell>> = list(&page, "/data").iter().map(self.row).collect();
        if rows.is_empty() {
            output::note(self.nothing);
            return Ok(Exit::Done);
        }
        output::print_table(self.heads, &rows);
        if page.get("has_more") == Some(&Value::Bool(true)) {
            output::note(self.more);
        }
        Ok(Exit::Done)
    }
}
