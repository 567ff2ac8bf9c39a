//! The expander's result: a tree of basic forms with resolved variables.

use std::rc::Rc;

use crate::code::Kind;
use crate::error::Position;
use crate::reader::syntax::Syntax;

/// The number of a local variable in [`Program::variables`].
pub type Var = usize;

/// The number of a procedure body; 0 is the top level.
pub type LambdaId = usize;

/// An expanded top-level form.
pub struct Program {
    /// The expression.
    pub node: Node,
    /// Its local variables.
    pub variables: Vec<Variable>,
    /// How many procedure bodies it has, the top level included.
    pub lambdas: usize,
}

/// A local variable.
#[derive(Debug, Default)]
pub struct Variable {
    /// Its name, for messages.
    pub name: Rc<str>,
    /// Whether something assigns it.
    pub assigned: bool,
    /// How often it is referred to.
    pub references: usize,
    /// In which bodies it is called in tail position with a fitting number of arguments, if it
    /// names a procedure that may be a loop.
    pub tail_calls: Vec<LambdaId>,
    /// If it names a procedure that may be a loop: the body and the number of parameters.
    pub candidate: Option<(LambdaId, usize)>,
    /// Whether it became the label of a loop.
    pub label: bool,
    /// The body whose frame has its register.
    pub home: LambdaId,
    /// The procedure that it always names.
    pub procedure: Option<LambdaId>,
    /// Whether its value is in a box, because it is assigned or used before its definition.
    pub boxed: bool,
    /// Whether the analysis has passed its definition.
    pub defined: bool,
}

/// A basic form.
#[derive(Debug)]
pub enum Node {
    /// A literal.
    Constant(Syntax),
    /// The unspecified value.
    Unspecified,
    /// A local variable.
    Local(Var, Position),
    /// A global variable.
    Global(Rc<str>, Position),
    /// An assignment.
    SetLocal(Var, Box<Node>),
    /// An assignment of a global variable.
    SetGlobal(Rc<str>, Box<Node>, Position),
    /// A global definition.
    Define(Rc<str>, Box<Node>),
    /// Pairs of test and consequence, and what holds if no test does.
    Cond(Vec<(Node, Node)>, Box<Node>),
    /// The first true value.
    Or(Vec<Node>),
    /// The first false value, or the last.
    And(Vec<Node>),
    /// One after another.
    Sequence(Vec<Node>),
    /// A procedure.
    Lambda(Box<Lambda>),
    /// Variables with values.
    Let(Vec<(Var, Node)>, Box<Node>),
    /// Variables that see each other, in order of definition.
    Letrec(Vec<(Var, Node)>, Box<Node>),
    /// A loop: its label, its variables with their first values, its body. A call of the label
    /// gives the variables new values and starts the body again.
    Loop(Var, Vec<(Var, Node)>, Box<Node>),
    /// A call.
    Call(Box<Node>, Vec<Node>, Position),
    /// An operation of the machine.
    Inline(Inline, Vec<Node>, Position),
}

/// A procedure.
#[derive(Debug)]
pub struct Lambda {
    /// Its number.
    pub id: LambdaId,
    /// Its name, or an empty string.
    pub name: Rc<str>,
    /// Its parameters, the rest parameter last.
    pub parameters: Vec<Var>,
    /// Whether the last parameter takes a list.
    pub rest: bool,
    /// Its body.
    pub body: Node,
    /// The variables of outer bodies that it uses.
    pub captures: Vec<Var>,
    /// Where it starts.
    pub position: Position,
}

/// An operation of the machine, with a fixed number of arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after its procedure")]
pub enum Inline {
    Cons,
    Car,
    Cdr,
    Cadr,
    Cddr,
    SetCar,
    SetCdr,
    VectorRef,
    VectorSet,
    Add,
    Subtract,
    Multiply,
    Quotient,
    Remainder,
    Less,
    LessEqual,
    Equal,
    Eq,
    Eqv,
    Not,
    Is(Kind),
}

impl Node {
    /// `test ? yes : no`
    pub fn conditional(test: Node, yes: Node, no: Node) -> Node {
        Node::Cond(vec![(test, yes)], Box::new(no))
    }

    /// Several forms in order; the value is the last one's.
    pub fn sequence(mut nodes: Vec<Node>) -> Node {
        match nodes.len() {
            0 => Node::Unspecified,
            1 => nodes.remove(0),
            _ => Node::Sequence(nodes),
        }
    }
}
