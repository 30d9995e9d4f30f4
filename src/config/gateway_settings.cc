#include "config/gateway_settings.h"

#include "config/setting_kinds.h"

// A setting's name is its member's path, so that the two cannot part.
#define WEIR_AT(member) \
#member, [](auto& s) -> auto& { return s.member; }

namespace weir::config {
namespace {

using namespace std::chrono_literals;

// Whoever is to log in stands in a file of his own: an address is shown wherever it is used.
TextRule redis_rule() {
  return {"empty, or redis://HOST[:PORT][/DATABASE], without a user's name or password",
          [](std::string_view text) {
            const std::string_view scheme = "redis://";
            if (text.empty()) return true;
            if (text.size() > 1000 || !text.starts_with(scheme)) return false;
            text.remove_prefix(scheme.size());
            const std::string_view host = text.substr(0, text.find('/'));
            const std::string_view database = text.substr(host.size());
            return !host.empty() && host.front() != ':' &&
                   host.find_first_of(std::string_view("@ \t\r\n\0", 6)) == text.npos &&
                   (database.empty() || (database.size() >= 2 && database.size() <= 6 &&
                                         is_of(database.substr(1), "0123456789")));
          }};
}

// What was refused is shown; not so an address that may hold a password.
Setting redis_url() {
  Setting setting = text(WEIR_AT(redis.url), redis_rule(), "redis://cache-1:6379/0",
                         "The Redis in which the gateway keeps records and predictions, in the "
                         "place of a local folder; empty is to use none.");
  setting.set = [set = setting.set](Settings& s, std::string_view value) -> SetResult {
    if (value.find('@') == value.npos) return set(s, value);
    return Refusal{"an address with a user's name or password is not legal here",
                   "who logs in belongs into redis.auth_file"};
  };
  return setting;
}

// A port, or a word for there being none.
Setting grpc_port() {
  constexpr std::int64_t kPortMax = 65'535;
  Setting setting;
  setting.name = "serve.grpc_port";
  setting.type = "whole number or off";
  setting.lowest = "0";
  setting.highest = std::to_string(kPortMax);
  setting.legal = "0 to " + setting.highest + ", or off";
  setting.example = "8081";
  setting.doc =
      "The port of the Open Inference Protocol over gRPC, at serve.address; 0 is any that is free.";
  setting.set = [legal = setting.legal](Settings& s, std::string_view text) -> SetResult {
    const auto port = parse_int64(text);
    if (text != "off" && !port) {
      return Refusal{quoted(text) + " is neither a whole number nor off", legal};
    }
    if (port && (*port < 0 || *port > kPortMax)) {
      return Refusal{quoted(text) + " is out of bounds", legal};
    }
    s.serve.grpc_port = port;
    return std::nullopt;
  };
  setting.get = [](const Settings& s) {
    return s.serve.grpc_port ? std::to_string(*s.serve.grpc_port) : "off";
  };
  return setting;
}

void add_kept_predictions(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {duration(WEIR_AT(serve.keep), 1min, 24h * 365,
                "How long the gateway keeps feature records and what became of them."),
       integer(WEIR_AT(serve.keep_records_max), 1'000, 1'000'000'000, "records",
               "How many feature records the gateway keeps at most; the oldest go first."),
       else_from("STATE_DIRECTORY",
                 text(WEIR_AT(serve.state_dir), bytes_rule(1, 4000), "/var/lib/weir",
                      "The local folder where the gateway keeps records and predictions, where "
                      "there is no Redis; made where it is missing. Where systemd has set "
                      "`STATE_DIRECTORY`, that is the default."))});
}

void add_redis(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {redis_url(),
       text(WEIR_AT(redis.auth_file), bytes_rule(0, 4000), "/etc/weir/redis.auth",
            "The local file by which to log in to Redis: the password, or a line with the user's "
            "name and one with the password; empty is not to log in."),
       duration(WEIR_AT(redis.timeout), 10ms, 1min,
                "How long Redis may take for one answer, and for a connection.")});
}

void add_door(std::vector<Setting>& table) {
  table.insert(
      table.end(),
      {text(WEIR_AT(serve.address), bytes_rule(1, 100), "0.0.0.0",
            "The address at which the gateway listens; one that others can reach asks for tokens."),
       integer(WEIR_AT(serve.port), 0, 65'535, "", "Its port; 0 is any that is free."), grpc_port(),
       list(WEIR_AT(serve.hosts), 100, bytes_rule(1, 253), "weir.example.org",
            "Names that a request may have as Host, besides those of this machine, where no token "
            "is asked for; and those of its page's origin behind a proxy."),
       text(WEIR_AT(serve.tokens), bytes_rule(0, 4000), "/etc/weir/tokens",
            "The local file of bearer tokens, a line for each: read, push or admin, and the token; "
            "empty is to ask for none."),
       text(WEIR_AT(serve.token_list), bytes_rule(0, 100'000), "push 0123456789abcdef",
            "The same as text, `;` between two, for the environment (WEIR_SERVE_TOKEN_LIST)."),
       text(WEIR_AT(serve.tls_certificate), bytes_rule(0, 4000), "/etc/weir/tls.crt",
            "The local file with the gateway's certificate and its chain, PEM; empty is plain "
            "HTTP."),
       text(WEIR_AT(serve.tls_key), bytes_rule(0, 4000), "/etc/weir/tls.key",
            "The local file with the certificate's private key, PEM."),
       text(WEIR_AT(serve.tls_client_authority), bytes_rule(0, 4000), "/etc/weir/clients.crt",
            "The local file with the authority by which clients must be certified, PEM; empty is "
            "to ask for no certificate."),
       choice<std::string>(
           WEIR_AT(serve.tls_client_role),
           {{"none", "none"}, {"read", "read"}, {"push", "push"}, {"admin", "admin"}},
           "What a client's certificate allows by itself; with none a token is needed, too."),
       integer(WEIR_AT(serve.connections_max), 1, 100'000, "connections",
               "How many clients may be connected at the same time."),
       number(WEIR_AT(serve.requests_per_second_max), 0, 1e9,
              "How many requests a second one client's address may send; 0 is no limit."),
       size(WEIR_AT(serve.body_bytes_max), 1'000, 1'000'000'000,
            "How large the body of a request may be, uploads of data sets aside."),
       integer(WEIR_AT(serve.records_max), 1, 100'000, "records",
               "How many records one request may push."),
       duration(WEIR_AT(serve.push_timeout), 100ms, 5min,
                "How long a push may wait for Kafka before the client is told to try again.")});
}

}  // namespace

void add_gateway(std::vector<Setting>& table) {
  add_kept_predictions(table);
  add_door(table);
  add_redis(table);
}

}  // namespace weir::config
