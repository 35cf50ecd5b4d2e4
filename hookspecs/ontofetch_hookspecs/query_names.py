"""Which names in an URL have values that may be shown, values that are secret, and values that say who may fetch."""

from __future__ import annotations

import re

# query names whose values say which bytes are meant and are worth reading in a record; whatever else stands in a query
# may be a key of its publisher's own making, so this list and none of secrets decides what is kept
HARMLESS_NAMES = frozenset(
    {"acronym", "alt", "attachment", "branch", "commit", "compression", "dataset", "date", "dl", "download", "ext"}
    | {"extension", "file", "file_name", "filename", "fmt", "format", "graph", "id", "include", "inline", "iri", "lang"}
    | {"language", "limit", "locale", "mime", "month", "name", "offset", "ontology", "order", "output", "page", "path"}
    | {"per_page", "profile", "raw", "ref", "rel", "release", "rev", "revision", "sort", "tag", "type", "v", "ver"}
    | {"version", "versionid", "year"}
)
# names, letters only, whose values say who may fetch and never what: two URLs that differ in them alone are one
CREDENTIAL_NAMES = frozenset(
    {"accesskey", "accesstoken", "apikey", "apitoken", "authorization", "authtoken", "awsaccesskeyid", "clientsecret"}
    | {"expires", "googleaccessid", "jobtoken", "jsessionid", "jwt", "keypairid", "oauthtoken", "passwd", "password"}
    | {"phpsessid", "privatetoken", "pwd", "secret", "sessionid", "sig", "signature", "subscriptionkey", "token"}
    | {"xamzalgorithm", "xamzcredential", "xamzdate", "xamzexpires", "xamzsecuritytoken", "xamzsignature"}
    | {"xamzsignedheaders", "xapikey", "xgoogalgorithm", "xgoogcredential", "xgoogdate", "xgoogexpires"}
    | {"xgoogsignature", "xgoogsignedheaders"}
)
SECRET_WORDS = frozenset(
    {"auth", "bearer", "hmac", "jwe", "jws", "key", "keys", "otp", "pass", "passcode", "pw", "pwd", "saml", "sas"}
    | {"session", "sid", "sig", "ticket"}
)
SECRET_PARTS = re.compile(
    "token|secret|passw|passphrase|pwd|apikey|accesskey|authkey|licen[cs]ekey|privatekey|subscriptionkey|credential"
    "|signature|sessid|sessionid|jwt|authoriz|authent|cookie"
)
