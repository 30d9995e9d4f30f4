// A handler that gives a Result<Response>, as the router takes it: errors become problems.
#pragma once

#include <utility>

#include "serve/problem.h"
#include "serve/router.h"

namespace weir::serve {

template <typename Answer>
std::function<void(Call, http::Reply)> answering(Answer answer) {
  return [answer = std::move(answer)](Call call, http::Reply reply) {
    Result<http::Response> response = answer(call);
    reply.send(response ? std::move(*response) : problem_of(response.error()));
  };
}

}  // namespace weir::serve
