//! Messages of DNS.

use super::Record;

pub(super) const SERVFAIL: u8 = 2;
pub(super) const REFUSED: u8 = 5;
const NXDOMAIN: u8 = 3;

const CNAME: u16 = 5;

/// A question.
pub(super) struct Query {
    id: [u8; 2],
    /// In lower case, without a dot at its end.
    pub(super) name: String,
    pub(super) kind: u16,
    /// As it came.
    question: Vec<u8>,
}

impl Query {
    /// The first question of a message.
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let mut labels = Vec::new();
        let mut at = 12;
        loop {
            let length = usize::from(*message.get(at)?);
            if length == 0 {
                break;
            }
            let label = message.get(at + 1..at + 1 + length)?;
            labels.push(String::from_utf8_lossy(label).to_lowercase());
            at += 1 + length;
        }
        let kind = u16::from_be_bytes(message.get(at + 1..at + 3)?.try_into().ok()?);
        let question = message.get(12..at + 5)?.to_vec();
        Some(Self { id: [message[0], message[1]], name: labels.join("."), kind, question })
    }

    /// What the records say to it.
    pub(super) fn answer(&self, records: &[(String, u32, Record)]) -> Vec<u8> {
        let known: Vec<_> = records.iter().filter(|(name, ..)| *name == self.name).collect();
        let fits = |record: &Record| record.kind() == self.kind || record.kind() == CNAME;
        let mut found: Vec<_> = known.iter().copied().filter(|(.., record)| fits(record)).collect();
        if let Some((_, _, Record::Cname(to))) = found.first().copied() {
            found.extend(records.iter().filter(|(name, _, record)| name == to && record.kind() == self.kind));
        }
        let mut out = self.head(if known.is_empty() { NXDOMAIN } else { 0 }, 0, found.len());
        for (name, ttl, record) in found {
            let data = record.data();
            // The name that was asked for is pointed at, so that large answers fit.
            out.extend(if *name == self.name { vec![0xc0, 12] } else { encoded(name) });
            out.extend(record.kind().to_be_bytes());
            out.extend(1_u16.to_be_bytes());
            out.extend(ttl.to_be_bytes());
            out.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend(data);
        }
        out
    }

    /// No records, but this code.
    pub(super) fn code(&self, code: u8) -> Vec<u8> {
        self.head(code, 0, 0)
    }

    /// That there is more than fits.
    pub(super) fn truncated(&self) -> Vec<u8> {
        const TRUNCATED: u8 = 0x02;
        self.head(0, TRUNCATED, 0)
    }

    /// It says that records follow, and ends within the first.
    pub(super) fn broken(&self) -> Vec<u8> {
        let mut out = self.head(0, 0, 700);
        out.extend(encoded(&self.name));
        out.extend([0, 33, 0, 1, 0]);
        out
    }

    fn head(&self, code: u8, flags: u8, answers: usize) -> Vec<u8> {
        // A response to a recursive question, with one question repeated.
        let answers = u16::try_from(answers).unwrap_or(u16::MAX).to_be_bytes();
        let mut out = vec![self.id[0], self.id[1], 0x81 | flags, 0x80 | code, 0, 1];
        out.extend(answers);
        out.extend([0; 4]);
        out.extend(&self.question);
        out
    }
}

impl Record {
    const fn kind(&self) -> u16 {
        match self {
            Self::A(_) => 1,
            Self::Cname(_) => CNAME,
            Self::Aaaa(_) => 28,
            Self::Srv { .. } => 33,
        }
    }

    fn data(&self) -> Vec<u8> {
        match self {
            Self::A(address) => address.octets().to_vec(),
            Self::Aaaa(address) => address.octets().to_vec(),
            Self::Cname(to) => encoded(to),
            Self::Srv { priority, weight, port, host } => {
                let numbers = [priority, weight, port].into_iter().flat_map(|number| number.to_be_bytes());
                numbers.chain(encoded(host)).collect()
            }
        }
    }
}

/// A name as a row of labels.
fn encoded(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut out = Vec::new();
    for label in labels {
        out.push(u8::try_from(label.len()).unwrap_or(0));
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}
