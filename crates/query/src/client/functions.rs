//! Functions PostgreSQL's clients ask with, where DataFusion and its catalog have none or answer otherwise.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, create_udf,
};

use crate::wire::session::ClientSession;

/// Answer null: what they tell of (comments, definitions, sequences), nothing of ours has.
const NULL_TEXTS: &[&str] = &[
    "obj_description",
    "col_description",
    "shobj_description",
    "pg_get_viewdef",
    "pg_get_indexdef",
    "pg_get_ruledef",
    "pg_get_triggerdef",
    "pg_get_functiondef",
    "pg_get_function_result",
    "pg_get_function_arguments",
    "pg_get_function_identity_arguments",
    "pg_get_serial_sequence",
    "pg_tablespace_location",
];

/// Answer true: there are no rights but to read, and one schema.
const TRUTHS: &[&str] = &[
    "pg_function_is_visible",
    "pg_type_is_visible",
    "pg_operator_is_visible",
    "pg_collation_is_visible",
    "has_column_privilege",
    "has_function_privilege",
];

/// PostgreSQL's numbers of its own tables, for `'pg_class'::regclass` with the name bound later.
const SYSTEM_TABLES: &[(&str, i32)] = &[
    ("pg_type", 1247),
    ("pg_attribute", 1249),
    ("pg_proc", 1255),
    ("pg_class", 1259),
    ("pg_authid", 1260),
    ("pg_database", 1262),
    ("pg_constraint", 2606),
    ("pg_index", 2610),
    ("pg_namespace", 2615),
    ("pg_trigger", 2620),
];

/// Registers what is the same for every session.
pub(super) fn register(context: &SessionContext) {
    let version = format!("PostgreSQL {}, for reading", crate::wire::VERSION);
    context.register_udf(constant("version", ScalarValue::Utf8(Some(version))));
    for name in NULL_TEXTS {
        context.register_udf(constant(name, ScalarValue::Utf8(None)));
    }
    for name in TRUTHS {
        context.register_udf(constant(name, ScalarValue::Boolean(Some(true))));
    }
    context.register_udf(constant("pg_is_in_recovery", ScalarValue::Boolean(Some(false))));
    context.register_udf(lookup("to_regtype", type_number));
    context.register_udf(lookup("to_regclass", |name| {
        SYSTEM_TABLES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
    }));
}

/// PostgreSQL's number of a type.
fn type_number(name: &str) -> Option<i32> {
    (1..6_000)
        .find(|number| pgwire::api::Type::from_oid(*number).is_some_and(|kind| kind.name() == name))?
        .try_into()
        .ok()
}

fn lookup(name: &'static str, find: fn(&str) -> Option<i32>) -> ScalarUDF {
    let find_all = move |arguments: &[ColumnarValue]| -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(value)) = arguments.first() else {
            return Err(DataFusionError::Plan(format!("{name} takes one name")));
        };
        let text =
            value.try_as_str().flatten().map(|text| text.trim_start_matches("pg_catalog.").trim_matches('"'));
        Ok(ColumnarValue::Scalar(ScalarValue::Int32(text.and_then(find))))
    };
    create_udf(name, vec![DataType::Utf8], DataType::Int32, Volatility::Stable, Arc::new(find_all))
}

/// Registers what differs from session to session.
pub(super) fn register_for(state: &mut SessionState, client: &Arc<ClientSession>) -> Result<()> {
    for name in ["session_user", "current_user", "user"] {
        state.register_udf(Arc::new(constant(name, ScalarValue::Utf8(Some(client.user.clone())))))?;
    }
    state.register_udf(Arc::new(constant("pg_backend_pid", ScalarValue::Int32(Some(client.process)))))?;
    let setting = CurrentSetting { client: Arc::clone(client), signature: any_number_of_texts() };
    state.register_udf(Arc::new(ScalarUDF::from(setting)))?;
    Ok(())
}

fn any_number_of_texts() -> Signature {
    Signature::variadic_any(Volatility::Stable)
}

fn constant(name: &'static str, value: ScalarValue) -> ScalarUDF {
    let signature = Signature::one_of(
        vec![
            datafusion::logical_expr::TypeSignature::Nullary,
            datafusion::logical_expr::TypeSignature::VariadicAny,
        ],
        Volatility::Stable,
    );
    ScalarUDF::from(Constant { name, value, signature })
}

/// Answers the same whatever it is asked.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Constant {
    name: &'static str,
    value: ScalarValue,
    signature: Signature,
}

impl ScalarUDFImpl for Constant {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(self.value.clone()))
    }
}

/// `current_setting(name [, missing_ok])`.
#[derive(Debug)]
struct CurrentSetting {
    client: Arc<ClientSession>,
    signature: Signature,
}

impl PartialEq for CurrentSetting {
    fn eq(&self, other: &Self) -> bool {
        self.client == other.client
    }
}

impl Eq for CurrentSetting {}

impl Hash for CurrentSetting {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.client.process.hash(state);
    }
}

impl ScalarUDFImpl for CurrentSetting {
    fn name(&self) -> &'static str {
        "current_setting"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut given = arguments.args.into_iter();
        let (Some(ColumnarValue::Scalar(name)), missing_ok) = (given.next(), given.next()) else {
            return Err(DataFusionError::Plan("current_setting takes the name of a setting".to_owned()));
        };
        let name = name.try_as_str().flatten().unwrap_or_default().to_lowercase();
        let may_miss = matches!(missing_ok, Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true)))));
        match self.client.settings.get(&name) {
            Some(value) => Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(value.clone())))),
            None if may_miss => Ok(ColumnarValue::Scalar(ScalarValue::Utf8(None))),
            None => Err(DataFusionError::Plan(format!("unrecognized configuration parameter \"{name}\""))),
        }
    }
}
