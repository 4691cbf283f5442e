//! Grafana's dashboards, made by code so that all look and link alike: `deploy/grafana/dashboards/*.json`.

mod overview;
mod panel;
mod queue;
mod service;
mod test_results;

use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use panel::Panel;

/// The data source of the provisioning file.
pub(crate) const DATA_SOURCE: &str = "manometer";

/// A dashboard to be written.
pub(crate) struct Dashboard {
    /// Its file, and the end of its identity.
    name: &'static str,
    title: &'static str,
    description: &'static str,
    variables: Vec<Value>,
    panels: Vec<Panel>,
}

fn all() -> Vec<Dashboard> {
    vec![overview::dashboard(), service::dashboard(), test_results::dashboard(), queue::dashboard()]
}

/// Writes the dashboards; with `is_check`, says instead which of the files are not what the code makes.
pub(crate) fn write(root: &Path, is_check: bool) -> anyhow::Result<()> {
    let folder = root.join("deploy/grafana/dashboards");
    let mut stale = Vec::new();
    for dashboard in all() {
        let path = folder.join(format!("{}.json", dashboard.name));
        let text = format!("{:#}\n", dashboard.json());
        if is_check {
            if std::fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
                stale.push(path.display().to_string());
            }
            continue;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        std::fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!(
        "these dashboards are not what the code makes; run `cargo xtask dashboards`:\n  {}",
        stale.join("\n  ")
    )
}

impl Dashboard {
    fn json(&self) -> Value {
        let others: Vec<Value> = all()
            .iter()
            .filter(|other| other.name != self.name)
            .map(|other| {
                json!({
                    "title": other.title,
                    "type": "link",
                    "url": format!("/d/manometer-{}?${{project:queryparam}}&${{__url_time_range}}", other.name),
                    "tooltip": other.description,
                    "targetBlank": false,
                })
            })
            .collect();
        let mut links = others;
        links.push(json!({
            "title": "Manometer", "type": "link", "url": "${manometer}", "icon": "external link",
            "tooltip": "Manometer's own pages", "targetBlank": true,
        }));
        json!({
            "uid": format!("manometer-{}", self.name),
            "title": format!("Manometer / {}", self.title),
            "description": self.description,
            "tags": ["manometer", "ci"],
            "timezone": "browser",
            "editable": true,
            "graphTooltip": 1,
            "schemaVersion": 39,
            "version": 1,
            "refresh": "",
            "time": { "from": "now-30d", "to": "now" },
            "links": links,
            "templating": { "list": self.variables },
            "panels": panel::placed(&self.panels),
        })
    }
}

/// A variable that a query fills.
fn query_variable(name: &str, label: &str, description: &str, sql: &str) -> Value {
    json!({
        "name": name, "label": label, "description": description, "type": "query",
        "datasource": { "type": "postgres", "uid": DATA_SOURCE },
        "query": sql, "definition": sql, "refresh": 2, "sort": 0, "multi": false, "includeAll": false,
    })
}

fn project() -> Value {
    let sql = "SELECT project FROM runs GROUP BY project ORDER BY max(started_at) DESC NULLS LAST LIMIT 500";
    query_variable("project", "Project", "The repository; the one that ran last is first.", sql)
}

fn service() -> Value {
    let sql = "SELECT service FROM runs WHERE project = '$project' AND service IS NOT NULL GROUP BY service ORDER BY service";
    query_variable("service", "Service", "The part of the repository.", sql)
}

/// Branches, of which all together are an empty text.
fn branch(of_service: bool) -> Value {
    let service = if of_service { " AND service = '$service'" } else { "" };
    let sql = format!(
        "SELECT branch FROM runs WHERE project = '$project'{service} AND branch IS NOT NULL \
         GROUP BY branch ORDER BY bool_or(is_default_branch) DESC NULLS LAST, max(started_at) DESC NULLS LAST LIMIT 200"
    );
    let mut variable = query_variable("branch", "Branch", "One branch, or all.", &sql);
    variable["includeAll"] = json!(true);
    // What stands for all in the queries: no branch has this name.
    variable["allValue"] = json!("");
    variable["current"] = json!({ "text": "All", "value": "$__all" });
    variable
}

/// Where Manometer's own pages are, for links to them.
fn pages() -> Value {
    json!({
        "name": "manometer", "label": "Manometer", "type": "textbox", "hide": 2,
        "description": "The address of Manometer's own pages, for links to them.",
        "query": "http://127.0.0.1:8420", "current": { "text": "http://127.0.0.1:8420", "value": "http://127.0.0.1:8420" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_dashboards_are_what_the_code_makes() {
        write(&crate::root().unwrap(), true).unwrap();
    }

    #[test]
    fn every_panel_says_what_it_is() {
        for dashboard in all() {
            let written = dashboard.json();
            for panel in written["panels"].as_array().unwrap() {
                for field in ["title", "description"] {
                    assert!(panel[field].as_str().is_some_and(|text| text.len() > 3), "{field} of {panel}");
                }
                assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{panel}");
            }
        }
    }
}
