//! Functions PostgreSQL's clients ask with, where DataFusion and its catalog have none or answer otherwise.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionContext;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::wire::session::ClientSession;

/// Registers what is the same for every session.
pub(super) fn register(context: &SessionContext) {
    let version = format!("PostgreSQL {}, for reading", crate::wire::VERSION);
    context.register_udf(constant("version", ScalarValue::Utf8(Some(version))));
    for name in ["obj_description", "col_description", "shobj_description", "pg_get_viewdef", "pg_get_indexdef"] {
        context.register_udf(constant(name, ScalarValue::Utf8(None)));
    }
    context.register_udf(constant("pg_is_in_recovery", ScalarValue::Boolean(Some(false))));
    for name in ["pg_function_is_visible", "pg_type_is_visible", "pg_operator_is_visible", "has_column_privilege", "has_function_privilege"] {
        context.register_udf(constant(name, ScalarValue::Boolean(Some(true))));
    }
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
        vec![datafusion::logical_expr::TypeSignature::Nullary, datafusion::logical_expr::TypeSignature::VariadicAny],
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
