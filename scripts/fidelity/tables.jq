# From the reports of `ciliate run -o json`, one for each datapath, to the tables of docs/FIDELITY.md.
# $ARGS.positional names the datapaths in the order of the files.

def title: if . == "builtin" then "built-in" else . end;
def row: "| " + join(" | ") + " |";
def compared: map(.compared) | add // 0;
def agreeing: map(.agreeing) | add // 0;
def ratio: if compared == 0 then "–" else "\(agreeing) of \(compared)" end;
def hops: map(.hops) | add // 0;

. as $runs
| ($ARGS.positional | map(title)) as $names
| [range($runs | length)] as $indexes
| ([$runs[].scenarios[].agreement.hooks[].hook] | unique) as $hooks
| [
    "## Hops that agree, by hook",
    "",
    "\"a of b\": b hops were run by both, a of them agree in every field.",
    "",
    (["hook"] + $names | row),
    (["-"] + ($names | map("-")) | row),
    ($hooks[] as $hook
      | [$hook] + [$runs[] | [.scenarios[].agreement.hooks[] | select(.hook == $hook)] | ratio] | row),
    (["all"] + [$runs[] | [.scenarios[].agreement.hooks[]] | "**\(ratio)**"] | row),
    (["not run"] + [$runs[] | [.scenarios[].agreement.notRun[]] | "\(hops)"] | row),
    (["redirect target not observed"]
      + [$runs[] | [.scenarios[].agreement.notObserved[] | select(.field == "redirect target")] | "\(hops)"] | row),
    "",
    "## By scenario",
    "",
    (["scenario"] + $names | row),
    (["-"] + ($names | map("-")) | row),
    ([$runs[0].scenarios[].name] | to_entries[] as $scenario
      | [$scenario.value]
        + [ $runs[].scenarios[$scenario.key].agreement
            | [([.hooks[]] | if compared == 0 then empty else ratio end),
               ([.notRun[]] | if hops == 0 then empty else "\(hops) not run" end)]
            | if length == 0 then "–" else join(", ") end ]
      | row),
    "",
    "## Not run",
    "",
    "A build that was not compiled for what a scenario asks is not asked: the hop counts as not run, with the option",
    "named. Of a node's own numbers (addresses, device indexes, endpoint ids) a build holds one node's; hops that depend",
    "on one with another value are not run either. Which builds were at hand decides these counts, not the model.",
    "",
    ([$indexes[] as $index
      | [$runs[$index].scenarios[].agreement.notRun[]] | map(.reason |= sub("^configure object \\((?<r>.*)\\)$"; .r)) | group_by(.reason)
      | map({reason: .[0].reason, hops: hops}) | sort_by(-.hops)[]
      | "- \($names[$index]): \(.hops) hops: \(.reason)"] | if length == 0 then "None." else .[] end),
    "",
    "## Differences",
    "",
    ([$indexes[] as $index
      | $runs[$index].divergences | group_by([.hook, .field])
      | map({hook: .[0].hook, field: .[0].field, times: length, example: .[0]})[]
      | "- \($names[$index]), \(.hook), \(.field): \(.times) times, first in \(.example.scenario): model \(.example.expected), kernel \(.example.found)"]
      | if length == 0 then "None: every hop that was run agrees in every field." else .[] end)
  ]
| .[]
