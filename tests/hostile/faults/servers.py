"""Plant faults in what bounds a server, says where it may lead, and keeps secrets out of records and lines."""

from __future__ import annotations

from .fault import fault, of

HOST = "ontofetch_catalog/host/"
METER, NETWORK, TRANSPORT, HTTP, TRIES = (
    f"{HOST}{name}.py" for name in ("meter", "network", "transport", "http", "tries")
)
ADDRESSES, FETCH, COPIES, LOGS, SOURCES = (
    f"{HOST}{name}.py" for name in ("addresses", "fetch", "copies", "logs", "sources")
)
CALLED, ENCODINGS, REFUSALS = (f"{HOST}{name}.py" for name in ("artifact_names", "encodings", "inspection"))
REDACTION, STAGES, EVENTS = (f"hookspecs/ontofetch_hookspecs/{name}.py" for name in ("redaction", "stages", "events"))
SLOW, LED, ASKED, SECRET = (f"tests/host/test_{name}.py::test_" for name in ("meter", "network", "http", "secrets"))
KIND, FETCHED = "tests/host/test_addresses.py::test_", "tests/host/test_fetch.py::test_"
NAMED = "tests/hookspecs/test_names.py::test_"
CODED, ANSWERED = "tests/host/test_encodings.py::test_", "tests/host/test_answers.py::test_"
PRIVATE = LED + "a_public_address_does_not_lead_to_a_private_one"
NOWHERE = ASKED + "a_redirect_that_leads_nowhere_is_refused"

FAULTS = (
    fault(
        "no rate is the least",
        (METER, "if came < self._least_rate * self._waited:", "if False:"),
        tests=of(SLOW + "a_body_that_comes_too_slowly_is_given_up", "one chunk after the other"),
    ),
    fault(
        "a head may take for ever",
        (
            METER,
            "        if self._head is not None:\n            raise httpcore.ReadTimeout",
            "        if self._head is not None:\n            return\n            raise httpcore.ReadTimeout",
        ),
        tests=of(SLOW + "a_head_that_does_not_end_is_given_up", "103"),
    ),
    fault(
        "a head may be of any size",
        (METER, "        if self._head > MOST_HEAD:\n", "        if False:\n"),
        tests=of(SLOW + "what_comes_before_the_body_is_bounded", "103 with headers"),
    ),
    fault(
        "headers are not counted",
        (TRANSPORT, "if len(answer.headers) > MOST_HEADERS:", "if False:"),
        tests=(SLOW + "headers_are_counted",),
    ),
    fault(
        "a handshake may take for ever",
        (
            NETWORK,
            "stream = self._stream.start_tls(ssl_context, server_hostname, wait)",
            "stream = self._stream.start_tls(ssl_context, server_hostname, None)",
        ),
        tests=(SLOW + "a_slow_handshake_is_given_up",),
    ),
    fault(
        "a resolver may take for ever",
        (NETWORK, "answer = answers.get(timeout=timeout)", "answer = answers.get()"),
        tests=(SLOW + "a_name_that_is_not_resolved_is_given_up",),
    ),
    fault(
        "there is no deadline",
        (
            METER,
            "        if left <= 0:\n            raise FetchError(",
            "        if False:\n            raise FetchError(",
        ),
        tests=(
            *of(SLOW + "everything_ends_at_the_deadline", "a body that is fast enough"),
            SLOW + "slow_redirects_end_at_the_deadline",
        ),
    ),
    fault(
        "a declared length is not looked at",
        (HTTP, "                    self._meter.check_size(_declared(response))\n", ""),
        tests=(SLOW + "a_declared_length_is_looked_at_before_the_body",),
    ),
    fault(
        "the bytes of a body are not counted",
        (TRANSPORT, "                self._meter.take(len(part))\n", ""),
        tests=(
            *of(SLOW + "bytes_are_counted_while_they_arrive", "one chunk of a terabyte"),
            FETCHED + "what_is_too_large_leaves_nothing",
        ),
    ),
    fault(
        "what did not become whole stays staged",
        (
            FETCH,
            "    except BaseException:\n        stage.discard()\n        raise\n",
            "    except BaseException:\n        stage.close()\n        raise\n",
        ),
        tests=(FETCHED + "what_is_too_large_leaves_nothing",),
    ),
    fault(
        "a body is inflated",
        (
            TRANSPORT,
            "        body = _Body(answer.stream, self._meter)\n",
            "        body = _Body(_inflated(answer), self._meter)\n",
        ),
        (
            TRANSPORT,
            "class _Body(httpx.SyncByteStream):",
            "def _inflated(answer: httpcore.Response) -> Iterable[bytes]:\n    told = httpx.Headers(answer.headers)\n    response = httpx.Response(200, headers=told, stream=_Body(answer.stream, Meter('', timeout=9, deadline=0, least_rate=0, most_bytes=0)))\n    yield from response.iter_bytes()\n\n\nclass _Body(httpx.SyncByteStream):",
        ),
        tests=(SLOW + "what_a_content_encoding_would_inflate_is_not_inflated",),
    ),
    fault(
        "what a coding stands for is not counted",
        (ENCODINGS, "            self._check(size)\n", ""),
        (ENCODINGS, "if size > RATIO_FROM and size > self._most_ratio * self._raw.count:", "if False:"),
        tests=(CODED + "a_bomb_in_a_content_encoding_is_refused",),
    ),
    fault(
        "a server calls an artifact what it likes",
        (CALLED, 'last = text.replace("\\\\", "/").rpartition("/")[2]', "last = text"),
        (CALLED, "if unicodedata.category(ch) not in _UNSEEN and ch not in DIRECTION_MARKS", ""),
        tests=("tests/host/test_artifact_names.py::test_what_a_server_calls_a_file",),
    ),
    fault(
        "whatever comes with status 200 is a document",
        (REFUSALS, "if found is not None and self._refuses(found):", "if False:"),
        tests=(ANSWERED + "what_is_no_document_is_refused",),
    ),
    fault(
        "what a server says of an error is told as it stands",
        (REFUSALS, "            words = words.replace(secret, REDACTED)\n", "            pass\n"),
        tests=(ANSWERED + "a_sentence_repeats_no_secret",),
    ),
    fault(
        "the scheme of a redirect is not looked at",
        (HTTP, 'if scheme is not None and scheme[1].casefold() not in ("http", "https"):', "if False:"),
        tests=(NOWHERE,),
    ),
    fault(
        "a redirect may lead to what is no address",
        (HTTP, 'sound = "\\\\" not in location and _is_sound(target)', "sound = True"),
        tests=(NOWHERE, LED + "a_location_without_a_scheme_is_no_way_around"),
    ),
    fault(
        "httpx reads a Location",
        (TRANSPORT, 'if pair[0].lower() != b"location"]', "]"),
        tests=(NOWHERE,),
    ),
    fault(
        "https may lead to http",
        (HTTP, 'if url.scheme == "https" and target.scheme == "http":', "if False:"),
        tests=(ASKED + "https_does_not_lead_to_http", LED + "the_certificate_is_that_of_the_name"),
    ),
    fault(
        "any address may be connected to",
        (ADDRESSES, "if not self._open and kind not in (PUBLIC, self._first):", "if False:"),
        tests=(
            PRIVATE,
            KIND + "the_first_address_says_what_may_follow",
            LED + "a_name_that_changes_between_tries_is_refused",
            LED + "a_name_with_a_private_address_is_refused",
            LED + "the_address_that_was_checked_is_the_one_connected_to",
        ),
    ),
    fault(
        "the odd forms of a number are no addresses",
        (ADDRESSES, "        return kind_of(socket.inet_ntoa(socket.inet_aton(bare)))\n", "        return None\n"),
        tests=of(LED + "through_a_proxy_numbers_are_still_looked_at", "2130706433", "0x7f.1"),
    ),
    fault(
        "an IPv4 address in one of IPv6 is not looked at",
        (ADDRESSES, "        if kind != PUBLIC:\n            return kind\n", "        break\n"),
        tests=(KIND + "kinds", *of(PRIVATE, "[64:ff9b::7f00:1]", "[2002:7f00:1::]")),
    ),
    fault(
        "Teredo is not known",
        (ADDRESSES, "    if found.teredo is not None:\n        yield from found.teredo\n", ""),
        tests=(KIND + "kinds",),
    ),
    fault(
        "ISATAP is not known",
        (ADDRESSES, " or (number >> 32) & 0xFFFFFFFF in _ISATAP:", ":"),
        tests=(KIND + "kinds",),
    ),
    fault(
        "metadata addresses are like others",
        (ADDRESSES, "    if str(found) in _METADATA:\n", "    if False:\n"),
        tests=(KIND + "kinds", KIND + "the_first_address_says_what_may_follow", *of(PRIVATE, "168.63.129.16")),
    ),
    fault(
        "carrier-grade NAT is public",
        (ADDRESSES, '("carrier-grade NAT", found.version == 4 and found in _SHARED),', ""),
        (ADDRESSES, "found.is_reserved or not found.is_global", "found.is_reserved"),
        tests=(KIND + "kinds", *of(PRIVATE, "100.64.0.1")),
    ),
    fault(
        "a name is resolved once more for the connection",
        (
            NETWORK,
            "stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)",
            "stream = self._plain.connect_tcp(host, port, left, local_address, socket_options)",
        ),
        tests=(LED + "the_address_that_was_checked_is_the_one_connected_to",),
    ),
    fault(
        "the first answer of a name does not bind the later ones",
        (ADDRESSES, "self._first = self._first or kind", "self._first = kind"),
        tests=(LED + "a_name_that_changes_between_tries_is_refused",),
    ),
    fault(
        "all addresses of a mixed answer are used",
        (
            ADDRESSES,
            "return [address for address in addresses if self._open or kinds[address] in (PUBLIC, self._first)]",
            "return list(addresses)",
        ),
        tests=(LED + "a_name_with_a_private_address_is_refused",),
    ),
    fault(
        "behind a proxy nothing is looked at",
        (TRANSPORT, "            self._gate.admit_kind(host, numeric_kind(host) or PUBLIC)\n", "            pass\n"),
        tests=(LED + "through_a_proxy_numbers_are_still_looked_at",),
    ),
    fault(
        "TLS asks for nobody's certificate",
        (TRANSPORT, "context = httpx.create_ssl_context() if", "context = httpx.create_ssl_context(verify=False) if"),
        tests=(LED + "the_certificate_is_that_of_the_name",),
    ),
    fault(
        "TLS asks for the address",
        (
            NETWORK,
            "self._stream.start_tls(ssl_context, server_hostname, wait)",
            "self._stream.start_tls(ssl_context, '93.184.216.34', wait)",
        ),
        tests=(LED + "the_certificate_is_that_of_the_name",),
    ),
    fault(
        "values are kept whatever their name",
        (
            REDACTION,
            "if not pair or (name.casefold() in HARMLESS_NAMES and _is_plain(value)):",
            "if not pair or not is_secret_name(name):",
        ),
        tests=(
            NAMED + "secrets_in_urls",
            *of(SECRET + "a_value_that_is_not_harmless_is_nowhere", "?unlisted=s3same", "?s3same"),
        ),
    ),
    fault(
        "a harmless value may be anything",
        (REDACTION, "(name.casefold() in HARMLESS_NAMES and _is_plain(value))", "name.casefold() in HARMLESS_NAMES"),
        tests=(
            NAMED + "secrets_in_urls",
            *of(
                SECRET + "a_value_that_is_not_harmless_is_nowhere",
                "?v=1%26token%3Ds3same",
                "?file=https://jo:s3same@h/",
            ),
        ),
    ),
    fault(
        "only & separates",
        (REDACTION, 'pieces = re.split("([&;])", parts.query)', 'pieces = re.split("(&)", parts.query)'),
        (REDACTION, 'not set(text) & set("=&;?@#%\\\\")', 'not set(text) & set("&?@#%\\\\")'),
        tests=(NAMED + "secrets_in_urls", *of(SECRET + "a_value_that_is_not_harmless_is_nowhere", "?v=1;token=s3same")),
    ),
    fault(
        "parameters of a path are kept",
        (
            REDACTION,
            'path = parts.path if parts.scheme == "file" else _redact_path(parts.path, replaced)',
            "path = parts.path",
        ),
        tests=(
            NAMED + "secrets_in_urls",
            *of(SECRET + "a_value_that_is_not_harmless_is_nowhere", ";jsessionid=s3same", "%3Bsid%3Ds3same"),
        ),
    ),
    fault(
        "the artifact is named as it was asked for",
        (CALLED, "shown = [redact_url(url) for url in urls]", "shown = [*urls]"),
        (CALLED, '.rpartition("/")[2].partition(";")[0]', '.rpartition("/")[2]'),
        tests=of(SECRET + "a_value_that_is_not_harmless_is_nowhere", ";jsessionid=s3same", "%3Bsid%3Ds3same"),
    ),
    fault(
        "a source is recorded as it was asked for",
        (STAGES, "url=None if url is None else redact_url(url),", "url=url,"),
        (SOURCES, "        return redact_url(self.url)\n", "        return self.url\n"),
        (EVENTS, 'object.__setattr__(self, "source_url", redact_url(self.source_url))', "pass"),
        tests=(SECRET + "a_value_that_is_not_harmless_is_nowhere",),
    ),
    fault(
        "the target of a redirect is told as it came",
        (HTTP, "{quote(redact_url(str(target)))}, from https", "{quote(str(target))}, from https"),
        (HTTP, "quote(scheme[1][:40] + ':')", "quote(location)"),
        (
            HTTP,
            'raise self._misled("something that is no http or https address")',
            'raise self._misled(f"{location}, no http or https address")',
        ),
        tests=(
            *of(SECRET + "what_a_redirect_says_is_recorded_and_told_like_a_source", "data:s3same"),
            NOWHERE,
        ),
    ),
    fault(
        "what libraries log of a request is not redacted",
        (LOGS, "plain = _URL.sub(_redacted, text)", "plain = text"),
        tests=of(
            SECRET + "what_a_redirect_says_is_recorded_and_told_like_a_source",
            "/b.ttl?unlisted=s3same",
            "{away}/b.ttl?sv=1&sig=s3same",
        ),
    ),
    fault(
        "a server's own words for a status are told",
        (TRIES, 'name = _STATUS_NAMES.get(cause.status_code, "")', "name = cause.reason_phrase"),
        tests=(ASKED + "what_a_server_says_is_not_repeated",),
    ),
    fault(
        "headers are shown by a list of secret ones",
        (LOGS, "return REDACTED if header and name.casefold() not in _HARMLESS_HEADERS else", "return"),
        tests=("tests/host/test_logs.py::test_headers_are_shown_by_a_list_of_harmless_ones",),
    ),
    fault(
        "no URL is ambiguous",
        (
            REDACTION,
            "    return any(_letters(name) not in CREDENTIAL_NAMES for name in _redact(url)[1])\n",
            "    return False\n",
        ),
        tests=(FETCHED + "a_hidden_value_may_mean_other_bytes", NAMED + "only_credentials_leave_an_url_what_it_is"),
    ),
    fault(
        "conditions are sent whatever was hidden",
        (FETCH, "copies = [copy for copy in copies if copy.sha256 == sha256]", "pass"),
        (
            FETCH,
            "conditions = {} if source.hides_values else conditions_of(copies)",
            "conditions = conditions_of(copies)",
        ),
        tests=(FETCHED + "a_hidden_value_may_mean_other_bytes",),
        note="a copy of an ambiguous URL is no candidate, and nothing is asked with a condition",
    ),
    fault(
        "nonsense in Retry-After is an error",
        (TRIES, "        except (ValueError, OverflowError):\n", "        except ZeroDivisionError:\n"),
        tests=(ASKED + "a_pause_that_makes_no_sense_is_none",),
    ),
    fault(
        "a server may want any pause",
        (TRIES, "            if wanted > LONGEST_WAIT:\n", "            if False:\n"),
        tests=(ASKED + "a_pause_that_makes_no_sense_is_none",),
    ),
    fault(
        "whatever part comes is put behind what has come",
        (HTTP, "return rest.status_code == 206 and told == expected and", "return rest.status_code == 206 and"),
        tests=of(FETCHED + "another_part_than_the_rest_is_left", "another part", "another length", "no range"),
    ),
    fault(
        "a part is put behind one of another coding",
        (HTTP, ' and rest.headers.get("content-encoding") == coding', ""),
        tests=of(FETCHED + "another_part_than_the_rest_is_left", "another coding"),
    ),
    fault(
        "the rest is asked for of bytes that may be others",
        (
            HTTP,
            """ if in_parts and response.status_code == 200 and re.fullmatch(r'"[!#-~]{1,200}"', tag) else ""\n""",
            "\n",
        ),
        tests=of(FETCHED + "what_can_not_be_known_again_comes_as_a_whole", "weak tag", "no parts", "no tag of HTTP"),
    ),
)
