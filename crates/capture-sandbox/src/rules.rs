//! The rules in force: which one acts on a request, and how often each still will.

use crate::act::Act;
use crate::draw::Draw;
use crate::script::{Asked, Rule, Script};

/// The rules that are not spent, each with its own dice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules(Vec<(Rule, Draw)>);

impl Rules {
    /// Adds a script's rules. Each rule's dice depend on the seed and its place in the script alone.
    pub(crate) fn add(&mut self, script: Script, seed: u64) {
        let seed = script.seed.unwrap_or(seed);
        let dice = (0_u64..).map(|place| Draw::new(seed ^ (place << 32)));
        let armed = script.rules.into_iter().zip(dice);
        self.0.extend(armed.filter(|(rule, _)| rule.times > 0));
    }

    /// What is to be done to this request, if anything; counts it.
    pub(crate) fn next(&mut self, asked: Asked) -> Option<Act> {
        let index = self.0.iter_mut().position(|(rule, dice)| {
            let meant = rule.on.means(asked, dice);
            let passes = meant && rule.skip > 0;
            rule.skip -= u32::from(passes);
            meant && !passes
        })?;
        let (rule, _) = &mut self.0[index];
        if rule.times == 1 {
            return Some(self.0.remove(index).0.act);
        }
        let is_for_ever = rule.times == u32::MAX;
        rule.times -= u32::from(!is_for_ever);
        Some(rule.act.clone())
    }

    /// The same for a request of which only the head is there; counts it only if it is answered.
    pub(crate) fn next_before_reading(&mut self, asked: Asked) -> Option<Act> {
        if !self.0.iter().any(|(rule, _)| rule.act.is_before_reading()) {
            return None;
        }
        let mut after = self.clone();
        let act = after.next(asked).filter(Act::is_before_reading)?;
        *self = after;
        Some(act)
    }

    /// What is left, as a script.
    pub(crate) fn left(&self) -> Script {
        Script { seed: None, rules: self.0.iter().map(|(rule, _)| rule.clone()).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
