//! Every limit in one table: what an input may cost before netloom refuses it.
//!
//! Values follow the measured failures of YAML, template and Jsonnet engines; totals hold per unit (one cluster or one
//! network), because a fleet has as many units as it has. Each error that a limit raises names the limit, the value and the
//! place.

/// Bytes of one input file. Helm allows 5 MiB; no declaration comes near.
pub const FILE_BYTES: u64 = 1 << 20;
/// Bytes of one file that an import command reads; a kops export with its instance groups is far smaller.
pub const IMPORT_BYTES: u64 = 8 << 20;
/// Bytes of Git's index that are read to tell what it tracks: some 600,000 files.
pub const GIT_INDEX_BYTES: usize = 64 << 20;
/// Files in one project, rendered output not counted.
pub const PROJECT_FILES: usize = 10_000;
/// Bytes of all input files together.
pub const PROJECT_BYTES: u64 = 32 << 20;
/// Folders below one another.
pub const PATH_DEPTH: usize = 64;
/// Levels of nesting in a YAML document; deeper ones only come from attacks.
pub const YAML_DEPTH: usize = 64;
/// Values in one YAML file.
pub const YAML_NODES: usize = 200_000;
/// Keys of one mapping in a YAML file; mappings keep their order and are searched from the front.
pub const YAML_KEYS: usize = 1_000;
/// Documents in one YAML file.
pub const YAML_DOCUMENTS: usize = 1_000;
/// Bytes of one template or expression.
pub const TEMPLATE_BYTES: usize = 64 << 10;
/// Nested brackets in one expression or template; deeper ones overflow the evaluator's stack.
pub const TEMPLATE_DEPTH: usize = 64;
/// Operators in one expression; chains of about 13 kB abort the process when the evaluator drops them.
pub const EXPRESSION_OPERATORS: usize = 1_000;
/// Instructions of one template or expression.
pub const TEMPLATE_FUEL: u64 = 1_000_000;
/// Bytes that one template or expression may produce.
pub const TEMPLATE_OUTPUT: usize = 4 << 20;
/// Bytes that a whole command may use: expressions can build texts in between whose size nothing else bounds. A fleet of a
/// thousand clusters takes a fortieth of it.
pub const COMMAND_MEMORY: u64 = 4 << 30;
/// Bytes of one CEL expression of a policy.
pub const POLICY_BYTES: usize = 16 << 10;
/// Levels of one CEL expression: of its brackets, and of the tree that it is read into.
pub const POLICY_DEPTH: usize = 128;
/// Levels of evaluation, where an expression asks for a variable that asks for another one.
pub const POLICY_STACK: usize = 256;
/// Variables, validations and match conditions of one policy, each.
pub const POLICY_EXPRESSIONS: usize = 64;
/// Policies of one project.
pub const POLICIES: usize = 256;
/// Steps of one policy on one object: a node of an expression, an item of a loop or a byte of a text takes one. The API server's
/// own budget for one expression is as large.
pub const POLICY_STEPS: u64 = 1_000_000;
/// Steps of all policies on one unit; about two seconds.
pub const POLICY_UNIT_STEPS: u64 = 20_000_000;
/// Bytes of a compiled regular expression of a policy.
pub const POLICY_REGEX: usize = 256 << 10;
/// Bytes of one Jsonnet file.
pub const JSONNET_BYTES: usize = 256 << 10;
/// Nested brackets in a Jsonnet file.
pub const JSONNET_NESTING: usize = 200;
/// Chained operators or `local`s in a Jsonnet file.
pub const JSONNET_CHAIN: usize = 1_000;
/// Frames of the Jsonnet evaluator's stack, go-jsonnet's default.
pub const JSONNET_STACK: usize = 500;
/// Bytes that one Jsonnet program may produce.
pub const JSONNET_OUTPUT: usize = 8 << 20;
/// Address space of the Jsonnet worker in bytes.
pub const WORKER_MEMORY: u64 = 1 << 30;
/// Processor seconds of the Jsonnet worker for one program.
pub const WORKER_CPU_SECONDS: u64 = 10;
/// Wall seconds of the Jsonnet worker for one program.
pub const WORKER_WALL_SECONDS: u64 = 15;
/// Objects that one cluster may render.
pub const UNIT_OBJECTS: usize = 5_000;
/// Bytes of one rendered file; a ConfigMap in etcd ends at 1 MiB.
pub const OUTPUT_FILE_BYTES: usize = 1 << 20;
/// Bytes that one unit may render.
pub const OUTPUT_UNIT_BYTES: usize = 64 << 20;
/// Seconds that one netloom waits for another one that writes to the same output folder.
pub const LOCK_SECONDS: u64 = 10;
/// Seconds that netloom waits for one process of Git's, answers of `cat-file --batch` taken together.
pub const GIT_SECONDS: u64 = 30;
/// Bytes of one answer of Git's.
pub const GIT_OUTPUT: u64 = 64 << 20;
/// Entries of the folders that are read from a commit, or of the index: a bomb of ten folders names 10^10 files.
pub const GIT_ENTRIES: usize = 100_000;
/// Items of one list in a declaration (zones, subnets, flows).
pub const LIST_ITEMS: usize = 1_000;
/// Objects that one `loop` may make.
pub const LOOP_ITEMS: usize = 1_000;
/// Overlays on one cluster.
pub const OVERLAYS: usize = 256;
/// Operations in one JSON patch.
pub const PATCH_OPERATIONS: usize = 1_000;
/// Diagnostics printed in one run.
pub const DIAGNOSTICS: usize = 100;
/// Columns of a quoted source line.
pub const SOURCE_COLUMNS: usize = 200;
/// Bytes of one diagnostic's message.
pub const MESSAGE_BYTES: usize = 2 << 10;
/// Bytes of all diagnostics printed for people in one run.
pub const DIAGNOSTICS_BYTES: usize = 64 << 10;
/// Further places, and advices, of one diagnostic that are printed.
pub const DIAGNOSTIC_PLACES: usize = 8;
