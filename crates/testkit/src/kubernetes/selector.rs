//! Selectors: which labels, counters and lists fit.

use serde_json::Value;

/// Whether the labels fit `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
pub(super) fn fits(labels: &Value, selector: &str) -> bool {
    requirements(selector).iter().all(|requirement| requirement_fits(labels, requirement.trim()))
}

/// The parts between commas that stand in no brackets.
fn requirements(selector: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let split = selector.split(|char: char| {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == ',' && depth == 0
    });
    split.filter(|part| !part.trim().is_empty()).collect()
}

fn requirement_fits(labels: &Value, requirement: &str) -> bool {
    let label = |key: &str| labels[key.trim()].as_str();
    let values = |list: &str| -> Vec<String> {
        list.trim_matches(['(', ')', ' ']).split(',').map(|value| value.trim().to_owned()).collect()
    };
    if let Some((key, list)) = requirement.split_once(" notin ") {
        label(key).is_none_or(|value| !values(list).contains(&value.to_owned()))
    } else if let Some((key, list)) = requirement.split_once(" in ") {
        label(key).is_some_and(|value| values(list).contains(&value.to_owned()))
    } else if let Some((key, value)) = requirement.split_once("!=") {
        label(key) != Some(value.trim())
    } else if let Some((key, value)) = requirement.split_once('=') {
        label(key) == Some(value.trim_start_matches('=').trim())
    } else if let Some(key) = requirement.strip_prefix('!') {
        label(key).is_none()
    } else {
        label(requirement).is_some()
    }
}

/// Whether a game server fits a selector of an allocation.
pub(super) fn takes(selector: &Value, server: &Value) -> bool {
    let labels = &server["metadata"]["labels"];
    let status = &server["status"];
    let wanted_labels = selector["matchLabels"].as_object().into_iter().flatten();
    let state = selector["gameServerState"].as_str().unwrap_or("Ready");
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten();
    let counters = selector["counters"].as_object().into_iter().flatten();
    let lists = selector["lists"].as_object().into_iter().flatten();
    status["state"] == state
        && wanted_labels.into_iter().all(|(key, value)| labels[key] == *value)
        && expressions.into_iter().all(|expression| expression_fits(labels, expression))
        && counters.into_iter().all(|(name, bounds)| counter_fits(&status["counters"][name], bounds))
        && lists.into_iter().all(|(name, bounds)| list_fits(&status["lists"][name], bounds))
}

fn expression_fits(labels: &Value, expression: &Value) -> bool {
    let value = labels.get(expression["key"].as_str().unwrap_or_default());
    let named = || {
        let values = expression["values"].as_array();
        value.is_some_and(|value| values.is_some_and(|values| values.contains(value)))
    };
    match expression["operator"].as_str() {
        Some("In") => named(),
        Some("NotIn") => !named(),
        Some("Exists") => value.is_some(),
        Some("DoesNotExist") => value.is_none(),
        _ => false,
    }
}

/// `0` is no bound.
fn within(number: i64, bounds: &Value, least: &str, most: &str) -> bool {
    let bound = |key: &str| bounds[key].as_i64().unwrap_or(0);
    number >= bound(least) && (bound(most) == 0 || number <= bound(most))
}

fn counter_fits(counter: &Value, bounds: &Value) -> bool {
    let (Some(count), Some(capacity)) = (counter["count"].as_i64(), counter["capacity"].as_i64()) else {
        return false;
    };
    within(count, bounds, "minCount", "maxCount")
        && within(capacity - count, bounds, "minAvailable", "maxAvailable")
}

fn list_fits(list: &Value, bounds: &Value) -> bool {
    let Some(capacity) = list["capacity"].as_i64() else { return false };
    let values = list["values"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = bounds["containsValue"].as_str().filter(|value| !value.is_empty());
    let available = capacity - i64::try_from(values.len()).unwrap_or(i64::MAX);
    within(available, bounds, "minAvailable", "maxAvailable")
        && wanted.is_none_or(|wanted| values.iter().any(|value| value == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn label_selectors_are_read_as_documented() {
        let labels = json!({ "environment": "production", "tier": "frontend" });
        for (selector, expected) in [
            ("environment=production,tier!=frontend", false),
            ("environment in (production, qa)", true),
            ("tier notin (frontend,backend)", false),
            ("tier in (frontend),environment", true),
            ("!partition", true),
            ("partition", false),
            ("", true),
        ] {
            assert_eq!(fits(&labels, selector), expected, "{selector}");
        }
    }
}
