//! The rules that are waiting: which one acts on a request or a handshake, and how often it still will.

use crate::faults::act::Act;
use crate::faults::handshake::{Handshake, HandshakeRule};
use crate::faults::on::{Asked, Memory};
use crate::faults::script::{Rule, Script};
use crate::world::Draw;

/// No test means to add more rules than fit into this many bytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The rules that are still waiting.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    /// Each with a memory of its own.
    requests: Vec<(Rule, Memory)>,
    handshakes: Vec<HandshakeRule>,
    /// The size of the rules about requests.
    bytes: usize,
}

impl Rules {
    /// Adds a script's rules. The dice of each depend only on the seed and its place in the script.
    pub(crate) fn add(&mut self, script: Script, seed: u64) {
        let seed = script.seed.unwrap_or(seed);
        let memory = (0_u64..).map(|place| Memory::new(Draw::new(seed ^ (place << 32))));
        let before = self.requests.len();
        let armed = script.rules.into_iter().zip(memory);
        self.requests.extend(armed.filter(|(rule, _)| rule.times > 0));
        self.bytes += self.requests[before..].iter().map(|(rule, _)| rule.size()).sum::<usize>();
        self.handshakes.extend(script.handshakes.into_iter().filter(|rule| rule.times > 0));
    }

    /// What happens to this request, if a rule acts on it. Counts the request.
    pub(crate) fn next(&mut self, asked: Asked<'_>) -> Option<Act> {
        let index = self.requests.iter_mut().position(|(rule, memory)| {
            let meant = rule.on.matches(asked, memory);
            let passes = meant && rule.skip > 0;
            rule.skip -= u32::from(passes);
            meant && !passes
        })?;
        let (rule, _) = &mut self.requests[index];
        if rule.times == 1 {
            let (rule, _) = self.requests.remove(index);
            self.bytes -= rule.size();
            return Some(rule.act);
        }
        spend(&mut rule.times);
        Some(rule.act.clone())
    }

    /// The same for a request of which only the head has arrived. Counts it only if a rule ends it there.
    pub(crate) fn next_before_reading(&mut self, asked: Asked<'_>) -> Option<Act> {
        if !self.requests.iter().any(|(rule, _)| rule.act.is_before_reading()) {
            return None;
        }
        let mut after = self.clone();
        let act = after.next(asked).filter(Act::is_before_reading)?;
        *self = after;
        Some(act)
    }

    /// What the next handshake meets, if a rule acts on it. Counts the handshake.
    pub(crate) fn next_handshake(&mut self) -> Option<Handshake> {
        let rule = self.handshakes.first_mut()?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        let meets = rule.meets;
        if rule.times == 1 {
            self.handshakes.remove(0);
        } else {
            spend(&mut rule.times);
        }
        Some(meets)
    }

    /// The rules that are still waiting, as a script.
    pub(crate) fn left(&self) -> Script {
        let rules = self.requests.iter().map(|(rule, _)| rule.clone()).collect();
        Script { seed: None, rules, handshakes: self.handshakes.clone() }
    }

    /// Whether a script can be added to what is waiting.
    pub(crate) fn has_room(&self, script: &Script) -> bool {
        let handshakes = self.handshakes.len() + script.handshakes.len();
        let rules = self.bytes + script.rules.iter().map(Rule::size).sum::<usize>();
        rules + handshakes * size_of::<HandshakeRule>() <= MOST_BYTES
    }
}

impl Rule {
    /// What a rule takes in memory, about.
    fn size(&self) -> usize {
        let path = self.on.path.as_ref().map_or(0, |path| path.as_str().len());
        size_of::<(Self, Memory)>() + path + self.act.size()
    }
}

fn spend(times: &mut u32) {
    let is_forever = *times == u32::MAX;
    *times -= u32::from(!is_forever);
}
