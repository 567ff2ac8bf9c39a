//! Recognises local procedures that are loops.
//!
//! A procedure that is only ever called in tail position of its own body, and once from outside
//! where it is made, needs neither a closure nor a frame: its parameters become variables of the
//! body around it and its calls become jumps. Such a loop may contain another one; a tail call of
//! the outer from the body of the inner is a jump too if the inner itself is in tail position, which
//! `Expander::merged` records.

use super::expand::Expander;
use super::node::{Lambda, LambdaId, Node, Var};

impl Expander<'_> {
    /// Joins a procedure and its only call from outside: a [`Node::Loop`] if all its other uses
    /// are jumps, otherwise the procedure and the call as they are. `outside` counts the uses of the
    /// name other than those in the body.
    pub(crate) fn join_loop(
        &mut self,
        name: Var,
        lambda: Box<Lambda>,
        inits: Vec<Node>,
        tail: bool,
        outside: usize,
    ) -> Node {
        let position = lambda.position;
        let variable = &self.variables[name];
        let jumps = variable
            .tail_calls
            .iter()
            .filter(|&&from| self.is_part(from, lambda.id));
        let only_jumps = jumps.count() + outside == variable.references;
        if only_jumps
            && !variable.assigned
            && !lambda.rest
            && inits.len() == lambda.parameters.len()
        {
            if tail {
                self.merged.push((lambda.id, self.lambda));
            }
            self.variables[name].label = true;
            let parameters = lambda.parameters.into_iter().zip(inits).collect();
            return Node::Loop(name, parameters, Box::new(lambda.body));
        }
        let operator = Box::new(Node::Local(name, position));
        let call = Node::Call(operator, inits, position);
        Node::Letrec(vec![(name, Node::Lambda(lambda))], Box::new(call))
    }

    /// Whether the body `from` is `of` or was merged into it in tail position.
    fn is_part(&self, mut from: LambdaId, of: LambdaId) -> bool {
        while from != of {
            match self.merged.iter().find(|(inner, _)| *inner == from) {
                Some(&(_, outer)) => from = outer,
                None => return false,
            }
        }
        true
    }
}
