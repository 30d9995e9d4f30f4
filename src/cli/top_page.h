// What `weir top` shows, as lines: the gate, what flows, alarms, members, partitions, models and
// data sets, the same figures as the gateway's page.
//
// Threads: pure functions. Errors: none; what is not known yet is told so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/terminal.h"
#include "registry/manifest.h"
#include "serve/alerts.h"
#include "serve/dataset_lists.h"
#include "serve/flow.h"
#include "serve/live.h"

namespace weir::cli {

// What is read from the store.
struct StoreView {
  std::vector<registry::Manifest> models;  // newest first, some
  serve::DatasetLists datasets;
  std::string trouble;  // in words; empty: none
  bool read = false;
};

struct TopView {
  std::string pipeline;
  std::shared_ptr<const serve::LiveView> live;  // null: not read yet
  serve::FlowFigures flow;
  std::vector<serve::Alert> alerts;
  StoreView store;
};

struct TopShape {
  TerminalSize size;  // rows 0: as many as there are
  bool color = false;
};

std::string top_page(const TopView& view, const TopShape& shape, Clock& clock);

}  // namespace weir::cli
