//! Action `meta_filter`: leaves the targets for which every rule holds.

use async_trait::async_trait;
use drawbridge_config::{
    Data, Diagnostic, Json, Located, Reader, Schemas, Setting, Value, json, keywords, section,
};
use drawbridge_model::{ActionAdapter, ActionError, Client, Identity, Target};
use std::borrow::Cow;

section! {
    /// Leaves the targets for which every rule holds.
    #[check(MetaFilterSection::check)]
    pub struct MetaFilterSection {
        /// The rules; all of them have to hold.
        pub rules: Vec<Located<RuleSection>>,
    }
}

section! {
    /// A rule about one thing that is known of a target.
    #[derive(PartialEq)]
    pub struct RuleSection {
        /// The key of the metadata that it is about.
        pub key: Option<String>,
        /// What it is about instead of metadata.
        pub field: Option<TargetField>,
        /// How it is compared.
        pub op: Operator,
        /// What it is compared with: a text or a number, and a list of these for `in` and `not_in`.
        pub value: Option<Operand>,
    }
}

keywords! {
    /// What every target has.
    pub enum TargetField {
        /// Its identifier.
        "identifier" => Identifier,
        /// `host:port`.
        "address" => Address,
    }
}

keywords! {
    /// How a rule compares. What a target doesn't have equals nothing and is in no list; what isn't a number is neither less nor
    /// greater than one.
    pub enum Operator {
        /// The same text.
        "equals" => Equals,
        /// Another text, or none.
        "not_equals" => NotEquals,
        /// The target has it, whatever it says.
        "exists" => Exists,
        /// The target doesn't have it.
        "not_exists" => NotExists,
        /// One of the list.
        "in" => In,
        /// None of the list.
        "not_in" => NotIn,
        /// Less than the number.
        "lt" => Lt,
        /// Less than the number or equal.
        "le" => Le,
        /// Greater than the number.
        "gt" => Gt,
        /// Greater than the number or equal.
        "ge" => Ge,
    }
}

/// What a rule compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// One where it isn't a list.
    values: Vec<String>,
    is_list: bool,
}

impl Setting for Operand {
    fn read(value: &Value, reader: &mut Reader<'_>) -> Option<Self> {
        let text = |value: &Value| match value.data() {
            Data::String(text) => Some(text.clone()),
            Data::Integer(number) => Some(number.to_string()),
            Data::Float(number) => Some(number.to_string()),
            _ => None,
        };
        const WHAT: &str = "a text, a number, or a list of these";
        let (values, is_list) = match value.as_array() {
            Some(items) => (items.iter().map(text).collect::<Option<Vec<_>>>(), true),
            None => (text(value).map(|value| vec![value]), false),
        };
        match values {
            Some(values) => Some(Self { values, is_list }),
            None => reader.expected(value, WHAT),
        }
    }

    fn schema(_: &mut Schemas) -> Json {
        let one = json!({ "type": ["string", "number"] });
        json!({ "anyOf": [one, { "type": "array", "items": one }] })
    }

    fn write(&self) -> Option<Json> {
        if self.is_list { Some(json!(self.values)) } else { self.values.first().map(|value| json!(value)) }
    }
}

impl MetaFilterSection {
    fn check(&self, fields: &mut drawbridge_config::Fields<'_, '_, '_>) {
        if self.rules.is_empty() {
            fields.error("rules", "a filter without rules leaves everything as it is");
        }
        for rule in &self.rules {
            if let Some((message, help)) = rule.mistake() {
                fields.report(Diagnostic::error(rule.origin(), message).help(help));
            }
        }
    }
}

impl RuleSection {
    /// What is wrong with it, and what to do.
    fn mistake(&self) -> Option<(String, &'static str)> {
        if self.key.is_some() == self.field.is_some() {
            return Some((
                "a rule is about one thing".into(),
                "give either key = \"…\" (of the metadata) or field = \"identifier\" or \"address\"",
            ));
        }
        let op = self.op;
        let takes = match op {
            Operator::Exists | Operator::NotExists => Takes::Nothing,
            Operator::In | Operator::NotIn => Takes::List,
            Operator::Lt | Operator::Le | Operator::Gt | Operator::Ge => Takes::Number,
            Operator::Equals | Operator::NotEquals => Takes::One,
        };
        let fits = match (takes, &self.value) {
            (Takes::Nothing, value) => value.is_none(),
            (_, None) => false,
            (Takes::List, Some(value)) => value.is_list,
            (Takes::One, Some(value)) => !value.is_list,
            (Takes::Number, Some(value)) => !value.is_list && value.number().is_some(),
        };
        (!fits).then(|| match takes {
            Takes::Nothing => (format!("\"{op}\" compares with nothing"), "remove value"),
            Takes::List => (format!("\"{op}\" needs a list"), "value = [\"eu\", \"us\"]"),
            Takes::One => (format!("\"{op}\" needs one text or number"), "value = \"eu\""),
            Takes::Number => (format!("\"{op}\" needs a number"), "value = 10"),
        })
    }

    fn holds(&self, target: &Target) -> bool {
        let found = match (&self.key, self.field) {
            (Some(key), _) => target.meta.get(key).map(|value| Cow::Borrowed(value.as_str())),
            (None, Some(TargetField::Address)) => Some(Cow::Owned(target.address.to_string())),
            (None, _) => Some(Cow::Borrowed(target.identifier.as_str())),
        };
        let found = found.as_deref();
        let is_among = || found.is_some_and(|found| self.values().iter().any(|value| value == found));
        let compared = |holds: fn(f64, f64) -> bool| {
            let number = self.value.as_ref().and_then(Operand::number);
            found.and_then(number_of).zip(number).is_some_and(|(found, number)| holds(found, number))
        };
        match self.op {
            Operator::Exists => found.is_some(),
            Operator::NotExists => found.is_none(),
            Operator::Equals | Operator::In => is_among(),
            Operator::NotEquals | Operator::NotIn => !is_among(),
            Operator::Lt => compared(|found, number| found < number),
            Operator::Le => compared(|found, number| found <= number),
            Operator::Gt => compared(|found, number| found > number),
            Operator::Ge => compared(|found, number| found >= number),
        }
    }

    fn values(&self) -> &[String] {
        self.value.as_ref().map(|value| &*value.values).unwrap_or_default()
    }
}

/// What an operator compares with.
#[derive(Clone, Copy)]
enum Takes {
    Nothing,
    One,
    List,
    Number,
}

impl Operand {
    fn number(&self) -> Option<f64> {
        self.values.first().and_then(|value| number_of(value))
    }
}

/// The number that a text says, if it says one that can be compared.
pub(super) fn number_of(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Leaves the targets for which every rule holds.
#[derive(Debug)]
pub struct MetaFilter {
    rules: Vec<RuleSection>,
}

impl MetaFilter {
    /// As the section says.
    #[must_use]
    pub fn new(section: &MetaFilterSection) -> Self {
        Self { rules: section.rules.iter().map(|rule| RuleSection::clone(rule)).collect() }
    }
}

#[async_trait]
impl ActionAdapter for MetaFilter {
    async fn apply(
        &self,
        _: &Client,
        _: &Identity,
        mut targets: Vec<Target>,
    ) -> Result<Vec<Target>, ActionError> {
        targets.retain(|target| self.rules.iter().all(|rule| rule.holds(target)));
        Ok(targets)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{applied, targets};
    use super::*;
    use drawbridge_config::{Error, Style, read_text};

    async fn left(rules: &str) -> Vec<String> {
        let section: MetaFilterSection = read_text("a.toml", &format!("rules = [{rules}]")).unwrap();
        let all = targets(&[
            ("eu-1", &[("region", "eu"), ("players", "9")]),
            ("us-1", &[("region", "us"), ("players", "10")]),
            ("none", &[]),
            ("odd", &[("region", "EU"), ("players", "many")]),
        ]);
        applied(&MetaFilter::new(&section), "Alice", all).await.unwrap()
    }

    #[tokio::test]
    async fn each_operator_leaves_what_it_says() {
        for (rule, expected) in [
            ("{ key = 'region', op = 'equals', value = 'eu' }", &["eu-1"][..]),
            ("{ key = 'region', op = 'not_equals', value = 'eu' }", &["us-1", "none", "odd"]),
            ("{ key = 'region', op = 'exists' }", &["eu-1", "us-1", "odd"]),
            ("{ key = 'region', op = 'not_exists' }", &["none"]),
            ("{ key = 'region', op = 'in', value = ['eu', 'us'] }", &["eu-1", "us-1"]),
            ("{ key = 'region', op = 'not_in', value = ['eu', 'us'] }", &["none", "odd"]),
            ("{ key = 'players', op = 'lt', value = 10 }", &["eu-1"]),
            ("{ key = 'players', op = 'le', value = 10 }", &["eu-1", "us-1"]),
            ("{ key = 'players', op = 'gt', value = 9 }", &["us-1"]),
            ("{ key = 'players', op = 'ge', value = '9.0' }", &["eu-1", "us-1"]),
            ("{ key = 'players', op = 'equals', value = 9 }", &["eu-1"]),
            ("{ field = 'identifier', op = 'in', value = ['odd'] }", &["odd"]),
            ("{ field = 'address', op = 'equals', value = 'us-1:25565' }", &["us-1"]),
            (
                "{ key = 'region', op = 'exists' }, { key = 'players', op = 'gt', value = 0 }",
                &["eu-1", "us-1"],
            ),
        ] {
            assert_eq!(left(rule).await, expected, "{rule}");
        }
    }

    #[test]
    fn mistaken_rules_say_what_is_expected() {
        for (rule, words) in [
            ("{ op = 'exists' }", "a rule is about one thing"),
            ("{ key = 'a', field = 'address', op = 'exists' }", "a rule is about one thing"),
            ("{ key = 'a', op = 'exists', value = 1 }", "compares with nothing"),
            ("{ key = 'a', op = 'in', value = 'eu' }", "needs a list"),
            ("{ key = 'a', op = 'equals', value = ['eu'] }", "needs one text or number"),
            ("{ key = 'a', op = 'equals' }", "needs one text or number"),
            ("{ key = 'a', op = 'lt', value = 'few' }", "needs a number"),
            ("{ key = 'a', op = 'equals', value = true }", "expected a text, a number"),
            ("", "a filter without rules"),
        ] {
            let read = read_text::<MetaFilterSection>("a.toml", &format!("rules = [{rule}]"));
            let Err(Error::Invalid(diagnostics)) = read else { panic!("{rule}") };
            let shown = diagnostics.render(Style::Plain);
            assert!(shown.contains(words), "{rule}: {shown}");
        }
    }
}
