//! `manometer ask`: the questions, each with the parameters it names itself as flags.

use std::marker::PhantomData;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};
use manometer_query::answers::{
    CompareRequest, CompletenessRequest, FailuresRequest, HistoryRequest, Question, SlowestRequest,
    TrendRequest,
};

use super::{DataArgs, RemoteArgs};

/// `manometer ask`
#[derive(Debug, Subcommand)]
pub(crate) enum AskCommand {
    #[command(about = TrendRequest::DOC, after_help = TrendRequest::EXAMPLES)]
    Trend(AskArgs<TrendRequest>),
    #[command(about = CompareRequest::DOC, after_help = CompareRequest::EXAMPLES)]
    Compare(AskArgs<CompareRequest>),
    #[command(about = SlowestRequest::DOC, after_help = SlowestRequest::EXAMPLES)]
    Slowest(AskArgs<SlowestRequest>),
    #[command(about = FailuresRequest::DOC, after_help = FailuresRequest::EXAMPLES)]
    Failures(AskArgs<FailuresRequest>),
    #[command(about = HistoryRequest::DOC, after_help = HistoryRequest::EXAMPLES)]
    History(AskArgs<HistoryRequest>),
    #[command(about = CompletenessRequest::DOC, after_help = CompletenessRequest::EXAMPLES)]
    Completeness(AskArgs<CompletenessRequest>),
}

/// One question.
#[derive(Debug, Args)]
pub(crate) struct AskArgs<Q: Question + std::fmt::Debug + 'static> {
    #[command(flatten)]
    pub(crate) pairs: Pairs<Q>,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = AskFormat::Table)]
    pub(crate) format: AskFormat,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

/// Forms of a typed answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AskFormat {
    /// Words, columns and bars for people
    Table,
    /// The whole answer as one object
    Json,
    /// Its main list as comma-separated values with a header
    Csv,
}

/// What is asked, as pairs of the parameters' names and values.
#[derive(Debug)]
pub(crate) struct Pairs<Q> {
    /// Those that were given.
    pub(crate) given: Vec<(String, String)>,
    question: PhantomData<Q>,
}

impl<Q: Question> Args for Pairs<Q> {
    fn augment_args(command: Command) -> Command {
        command.args(Q::parameters().into_iter().map(|parameter| {
            Arg::new(parameter.name)
                .long(parameter.name)
                .value_name(parameter.value)
                .help(parameter.doc)
                .help_heading("What is asked")
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<Q: Question> FromArgMatches for Pairs<Q> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = Q::parameters().into_iter().filter_map(|parameter| {
            let value = matches.get_one::<String>(parameter.name)?;
            Some((parameter.name.to_owned(), value.clone()))
        });
        Ok(Self { given: given.collect(), question: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
