// The commands: each declares itself on the command line and leaves behind what to run.
//
// To add one: a file command_x.cc, a line here, and a line in the table in app.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace weir::cli {

// Filled in by the command that was named: runs it and gives the exit code.
using Action = std::function<int()>;

void add_run(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_produce(CLI::App& app, Action& action);
void add_score(CLI::App& app, Action& action);
void add_serve(CLI::App& app, Action& action);
void add_watch(CLI::App& app, Action& action);
void add_status(CLI::App& app, Action& action);
void add_top(CLI::App& app, Action& action);
void add_models(CLI::App& app, Action& action);
void add_predict(CLI::App& app, Action& action);
void add_describe(CLI::App& app, Action& action);
void add_drop(CLI::App& app, Action& action);
void add_config(CLI::App& app, Action& action);
void add_doctor(CLI::App& app, Action& action);
void add_plan(CLI::App& app, Action& action);
void add_stats(CLI::App& app, Action& action);
void add_merge(CLI::App& app, Action& action);
void add_fit(CLI::App& app, Action& action);
void add_audit(CLI::App& app, Action& action);

// argv in, exit code out.
int run_command_line(int argc, char** argv);

}  // namespace weir::cli
