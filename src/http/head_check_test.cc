#include "http/head_check.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

unsigned status_of(const std::string& head) {
  const auto fault = check_head(head);
  return fault ? fault->status : 0;
}

TEST(HeadCheck, takes_what_real_clients_send) {
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0u);
  EXPECT_EQ(status_of("POST /v1/messages?wait=2s HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: "
                      "12\r\nAccept: */*\r\nX-Empty:\r\n\r\n"),
            0u);
  EXPECT_EQ(status_of("PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"), 0u);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0u) << "HTTP/1.0 knows no Host";
}

TEST(HeadCheck, refuses_what_two_servers_may_read_in_two_ways) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(status_of(post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "Content-Length: 3, 3\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "Content-Length: +3\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "Content-Length: 0x3\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "Content-Length: 9999999999999999999\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "Content-Length:\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
            400u);
  EXPECT_EQ(status_of(post + "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501u);
  EXPECT_EQ(status_of(post + "Transfer-Encoding : chunked\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "A: b\r\n folded\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "A: b\nContent-Length: 3\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + "A: b\rc\r\n\r\n"), 400u);
  EXPECT_EQ(status_of(post + std::string("A: b\0c\r\n\r\n", 10)), 400u);
  EXPECT_EQ(status_of(post + "Host: b\r\n\r\n"), 400u);
  EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400u);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400u) << "no Host";
}

TEST(HeadCheck, refuses_broken_request_lines) {
  const std::string rest = "\r\nHost: a\r\n\r\n";
  EXPECT_EQ(status_of("GET /" + rest), 400u);
  EXPECT_EQ(status_of("GET  / HTTP/1.1" + rest), 400u);
  EXPECT_EQ(status_of("G(T / HTTP/1.1" + rest), 400u);
  EXPECT_EQ(status_of("GET http://a/ HTTP/1.1" + rest), 400u);
  EXPECT_EQ(status_of("GET /a b HTTP/1.1" + rest), 400u);
  EXPECT_EQ(status_of("GET /\xc3\xa4 HTTP/1.1" + rest), 400u);
  EXPECT_EQ(status_of("GET / HTTP/2.0" + rest), 505u);
  EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400u);
  EXPECT_EQ(status_of("\r\nGET / HTTP/1.1" + rest), 400u);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 0; i < kHeadFieldsMax; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(many + "\r\n"), 431u);
}

TEST(HeadCheck, finds_the_end_of_a_head_that_comes_in_pieces) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t length = 0; length < head.size(); ++length) {
    EXPECT_EQ(head_length(head.substr(0, length), 0), 0u) << length;
    EXPECT_EQ(head_length(head + "body", length), head.size()) << length;
  }
  EXPECT_EQ(head_length("GET / HTTP/1.1\nHost", 0), 15u) << "a bare LF ends it, to be refused";
}

}  // namespace
}  // namespace weir::http
