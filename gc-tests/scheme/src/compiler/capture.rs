//! Which variables are captured, and which need a box.
//!
//! One walk over the tree in order of evaluation. A variable is at home in the body that binds it;
//! a use in another body adds it to what that body captures, and to what all bodies in between
//! capture. A use before the definition, possible among the variables of a `letrec`, puts the
//! variable in a box, as does an assignment. Procedures defined side by side may refer to each other
//! without boxes: their closures are completed after all of them are made. A procedure refers to
//! itself through register 0 and captures nothing for it.

use crate::syntax::node::{Lambda, LambdaId, Node, Program, Var, Variable};

struct Walk<'a> {
    variables: &'a mut [Variable],
    /// The bodies around the current node, each with what it captures so far.
    bodies: Vec<(LambdaId, Vec<Var>)>,
}

/// Fills in the homes, boxes and captures of a program.
pub(super) fn analyze(program: &mut Program) {
    let mut walk = Walk {
        variables: &mut program.variables,
        bodies: vec![(0, Vec::new())],
    };
    walk.visit(&mut program.node);
}

/// The bindings from `start` that form a unit: neighbouring procedures, or one other binding.
pub(super) fn unit_end(bindings: &[(Var, Node)], start: usize) -> usize {
    let procedures = bindings[start..]
        .iter()
        .take_while(|(_, node)| matches!(node, Node::Lambda(_)))
        .count();
    start + procedures.max(1)
}

impl Walk<'_> {
    fn current(&self) -> LambdaId {
        self.bodies.last().map_or(0, |body| body.0)
    }

    fn bind(&mut self, var: Var, defined: bool) {
        let home = self.current();
        let variable = &mut self.variables[var];
        variable.home = home;
        variable.defined = defined;
        variable.boxed = variable.assigned;
    }

    fn refer(&mut self, var: Var) {
        let current = self.current();
        let variable = &mut self.variables[var];
        if variable.label {
            return;
        }
        variable.boxed |= !variable.defined;
        if variable.home == current || variable.names(current) {
            return;
        }
        if let Some((_, captures)) = self.bodies.last_mut()
            && !captures.contains(&var)
        {
            captures.push(var);
        }
    }

    fn visit_all(&mut self, nodes: &mut [Node]) {
        nodes.iter_mut().for_each(|node| self.visit(node));
    }

    fn visit(&mut self, node: &mut Node) {
        match node {
            Node::Constant(_) | Node::Unspecified | Node::Global(..) => {}
            Node::Local(var, _) => self.refer(*var),
            Node::SetLocal(var, value) => {
                self.visit(value);
                self.refer(*var);
            }
            Node::SetGlobal(_, value, _) | Node::Define(_, value) => self.visit(value),
            Node::Cond(clauses, otherwise) => {
                for (test, body) in clauses {
                    self.visit(test);
                    self.visit(body);
                }
                self.visit(otherwise);
            }
            Node::Or(nodes) | Node::And(nodes) | Node::Sequence(nodes) => self.visit_all(nodes),
            Node::Inline(_, nodes, _) => self.visit_all(nodes),
            Node::Lambda(lambda) => self.lambda(lambda),
            Node::Let(bindings, body) => {
                for (var, value) in bindings {
                    self.visit(value);
                    self.bind(*var, true);
                }
                self.visit(body);
            }
            Node::Loop(_, bindings, body) => {
                bindings.iter_mut().for_each(|(_, value)| self.visit(value));
                bindings.iter().for_each(|(var, _)| self.bind(*var, true));
                self.visit(body);
            }
            Node::Letrec(bindings, body) => {
                self.letrec(bindings);
                self.visit(body);
            }
            Node::Call(operator, arguments, _) => {
                self.visit(operator);
                self.visit_all(arguments);
            }
        }
    }

    fn letrec(&mut self, bindings: &mut [(Var, Node)]) {
        bindings.iter().for_each(|(var, _)| self.bind(*var, false));
        let mut start = 0;
        while start < bindings.len() {
            let end = unit_end(bindings, start);
            let unit = &mut bindings[start..end];
            for (var, node) in unit.iter() {
                if let Node::Lambda(lambda) = node {
                    let variable = &mut self.variables[*var];
                    variable.defined = true;
                    variable.procedure = Some(lambda.id);
                }
            }
            for (var, node) in unit {
                self.visit(node);
                self.variables[*var].defined = true;
            }
            start = end;
        }
    }

    fn lambda(&mut self, lambda: &mut Lambda) {
        self.bodies.push((lambda.id, Vec::new()));
        for &var in &lambda.parameters {
            self.bind(var, true);
        }
        self.visit(&mut lambda.body);
        if let Some((_, captures)) = self.bodies.pop() {
            lambda.captures = captures;
        }
        for &var in &lambda.captures {
            self.refer(var);
        }
    }
}

impl Variable {
    /// Whether the variable always names the procedure whose body is `lambda`.
    pub(super) fn names(&self, lambda: LambdaId) -> bool {
        self.procedure == Some(lambda) && !self.boxed
    }
}
