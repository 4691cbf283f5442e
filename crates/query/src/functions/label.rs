//! `label(labels, 'key')`: one value of a column of labels, as text.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringViewArray, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::cast::as_string_view_array;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::json_object;

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    signature: Signature,
}

impl Default for Label {
    fn default() -> Self {
        Self {
            signature: Signature::exact(vec![DataType::Utf8View, DataType::Utf8View], Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Label {
    fn name(&self) -> &str {
        "label"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [labels, key] = datafusion::common::utils::take_function_args(self.name(), args.args)?;
        let rows = args.number_rows;
        if let ColumnarValue::Scalar(constant) = &key {
            let Some(name) = constant.try_as_str().flatten() else {
                return Ok(ColumnarValue::Scalar(ScalarValue::Utf8View(None)));
            };
            let texts = labels.into_array(rows)?;
            return Ok(ColumnarValue::Array(find_one(as_string_view_array(&texts)?, name)));
        }
        let texts = labels.into_array(rows)?;
        let names = key.into_array(rows)?;
        Ok(ColumnarValue::Array(find_each(as_string_view_array(&texts)?, as_string_view_array(&names)?)))
    }
}

fn find_one(texts: &StringViewArray, name: &str) -> ArrayRef {
    let mut found = StringViewBuilder::with_capacity(texts.len());
    for text in texts {
        found.append_option(text.and_then(|object| json_object::find(object, name)));
    }
    Arc::new(found.finish())
}

fn find_each(texts: &StringViewArray, names: &StringViewArray) -> ArrayRef {
    let mut found = StringViewBuilder::with_capacity(texts.len());
    for (text, name) in texts.iter().zip(names) {
        found.append_option(text.zip(name).and_then(|(object, key)| json_object::find(object, key)));
    }
    Arc::new(found.finish())
}
