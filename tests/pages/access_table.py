"""Every address of the portal and what each role gets there. tests/pages/test_access.py walks the resolver beside it.

A cell is the status of the answer. `in` is a redirect to the sign-in page, `->` a redirect to another page (it is
done, or one is led on), `-` is not asked. Who is not concerned gets 404, never 403: 403 is for who may see a thing but
not do what was asked. In the admin Django itself answers for a row that is not there, and for a row
that is hidden just the same: `->`, back to its index, or 403 where the visitor could delete nothing at all.
"""

from __future__ import annotations

ROLES = {
    "anonymous": "nobody signed in",
    "official": "of the municipality that the station stands in",
    "stranger": "an official of another municipality",
    "reader": "works for the operator of the station, reads",
    "planner": "works there, sets limits",
    "operator": "works there, sends commands",
    "manager": "works there, administers",
    "rival": "administers another operator, in another municipality",
    "driver": "whose session it is",
    "passer": "another driver",
    "superuser": "of the installation",
}
STRANGERS = ("stranger", "rival", "passer")

PAGES = """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /                                 in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /overzicht/                       in    200   200   404   404   404   404   404   404   404   200
GET    /laadobjecten/                    in    200   200   404   404   404   404   404   404   404   200
GET    /laadobjecten/punten.geojson      in    200   200   404   404   404   404   404   404   404   200
GET    /gebruik/                         in    200   200   404   404   404   404   404   404   404   200
GET    /naleving/                        in    200   200   200   200   200   200   200   200   200   200
GET    /naleving/{concession}/           in    200   404   200   200   200   200   404   404   404   200
GET    /naleving/{concession}/{code}/    in    200   404   200   200   200   200   404   404   404   200
GET    /naleving/{concession}/{code}/bewijs/ in 200   404   200   200   200   200   404   404   404   200
POST   /naleving/{concession}/{code}/notitie/ in ->  404   403   403   403   403   404   404   404   ->
POST   /naleving/{concession}/{code}/oordeel/ in 422  404   403   403   403   403   404   404   404   422
GET    /bewijs/{evidence}/               in    200   404   200   200   200   200   404   404   404   200
GET    /bewijs/{evidence}/metingen.csv   in    200   404   200   200   200   200   404   404   404   200
GET    /bewijs/{evidence}/bewijs.json    in    200   404   200   200   200   200   404   404   404   200
POST   /bewijs/{evidence}/oordeel/       in    ->    404   403   403   403   403   404   404   404   ->
GET    /steekproef/                      in    200   200   200   200   200   200   200   200   200   200
POST   /steekproef/                      in    ->    422   422   422   ->    ->    422   422   422   ->
GET    /steekproef/{probe}/              in    200   404   200   200   200   200   404   404   404   200
POST   /steekproef/{probe}/stop/         in    ->    404   403   403   ->    ->    404   404   404   ->
GET    /stations/                        in    200   200   200   200   200   200   200   200   200   200
GET    /stations/{station}/              in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/waarom/       in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/vermogen.csv  in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/vermogen.json in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/registers/    in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/registers.csv in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/toegang/      in    404   404   200   200   200   200   404   404   404   200
POST   /stations/{station}/toegang/beleid/ in  404   404   404   404   ->    ->    404   404   404   ->
POST   /stations/{station}/toegang/lijst/ in   404   404   404   404   ->    ->    404   404   404   ->
POST   /stations/{station}/toegang/lijst/versie/ in 404 404 404  404   ->    ->    404   404   404   ->
GET    /stations/{station}/sessies/      in    404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/sessies/{session}/ in 404 404 200   200   200   200   404   404   404   200
GET    /stations/{station}/sessies/{session}/vermogen.csv in 404 404 200 200 200 200 404 404   404   200
GET    /stations/{station}/sessies/{session}/vermogen.json in 404 404 200 200 200 200 404 404  404   200
GET    /stations/{station}/opdrachten/   in    404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/opdrachten/nieuw/list-version/ in 404 404 404 404 200 200 404 404   404   200
POST   /stations/{station}/opdrachten/nieuw/list-version/ in 404 404 404 404 -> ->  404  404   404   ->
POST   /stations/{station}/opdrachten/{command}/intrekken/ in 404 404 404 404 -> -> 404  404   404   ->
POST   /stations/{station}/opdrachten/{command}/opnieuw/ in 404 404 404 404 ->  ->  404  404   404   ->
POST   /stations/{station}/opdrachten/reserveringen/{reservation}/opheffen/ in 404 404 404 404 -> -> 404 404 404 ->
GET    /stations/{station}/berichten/    in    404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/berichten.csv in    404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/berichten.jsonl in  404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/verbinding/   in    404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/verbinding.csv in   404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/bestanden/    in    404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/bestanden/{ticket}/ in 404 404 200   200   200   200   404   404   404   200
GET    /stations/{station}/bestanden/firmware/ in 404 404   200   200   200   200   404   404   404   200
GET    /stations/{station}/teruggelezen/ in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/configuratie/ in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/beveiliging/  in    404   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/beveiliging/certificaten/ in 404 404 200 200 200   200   404   404   404   200
GET    /stations/{station}/beveiliging/wachtwoord/ in 404 404 404  404   200   200   404   404   404   200
POST   /stations/{station}/beveiliging/wachtwoord/ in 404 404 404  404   ->    ->    404   404   404   ->
GET    /stations/{station}/beveiliging/certificaten/{certificate}/intrekken/ in 404 404 404 404 200 200 404 404 404 200
POST   /stations/{station}/beveiliging/certificaten/{certificate}/intrekken/ in 404 404 404 404 -> -> 404 404 404 ->
GET    /stations/{station}/beveiliging/certificaten/{root}/verwijderen/ in 404 404 404 404 200 200 404 404 404 200
POST   /stations/{station}/beveiliging/certificaten/{root}/verwijderen/ in 404 404 404 404 -> -> 404 404 404 ->
POST   /stations/{station}/configuratie/lezen/ in 404 404    404   404   ->    ->    404   404   404   ->
GET    /stations/{station}/configuratie/wijzigen/ in 404 404 404   404   200   200   404   404   404   200
GET    /stations/{station}/configuratie/vergelijken/ in 404 404 200 200  200   200   404   404   404   200
POST   /stations/{station}/configuratie/vergelijken/ in 404 404 404 404  ->    ->    404   404   404   ->
GET    /stations/{station2}/bewaking/    in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station2}/bewaking/opgemerkt/ in 200 404  200   200   200   200   404   404   404   200
GET    /stations/{station2}/bewaking/nieuw/ in 404   404   404   404   200   200   404   404   404   200
POST   /stations/{station2}/bewaking/lezen/ in 404   404   404   404   ->    ->    404   404   404   ->
POST   /stations/{station2}/bewaking/instellen/ in 404 404 404   404   ->    ->    404   404   404   ->
POST   /stations/{station2}/bewaking/{monitor}/wissen/ in 404 404 404 404 ->   ->    404   404   404   ->
GET    /configuratie/                    in    200   200   200   200   200   200   200   200   200   200
GET    /configuratie/nieuw/              in    404   404   404   404   200   200   200   404   404   200
GET    /configuratie/kiezen/             in    404   404   404   404   200   200   200   404   404   200
GET    /configuratie/{template}/         in    404   404   200   200   200   200   404   404   404   200
POST   /configuratie/{template}/         in    404   404   404   404   422   422   404   404   404   422
POST   /configuratie/{template}/verwijderen/ in 404  404   404   404   ->    ->    404   404   404   ->
GET    /configuratie/{template}/uitrollen/ in  404   404   404   404   200   200   404   404   404   200
POST   /configuratie/{template}/uitrollen/ in  404   404   404   404   ->    ->    404   404   404   ->
GET    /configuratie/rondes/             in    200   200   200   200   200   200   200   200   200   200
GET    /configuratie/rondes/{rollout}/   in    404   404   200   200   200   200   404   404   404   200
POST   /configuratie/rondes/{rollout}/stop/ in 404   404   404   404   ->    ->    404   404   404   ->
POST   /configuratie/rondes/{rollout}/opnieuw/ in 404 404  404   404   ->    ->    404   404   404   ->
GET    /stations/{station}/naleving/     in    200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/naleving/bewijs/ in 200   404   200   200   200   200   404   404   404   200
GET    /stations/{station}/limiet/       in    404   404   404   200   200   200   404   404   404   200
POST   /stations/{station}/limiet/       in    404   404   404   ->    ->    ->    404   404   404   ->
POST   /stations/{station}/limiet/{profile}/intrekken/ in 404 404 404 -> ->   ->  404   404   404   ->
POST   /stations/{station}/limiet/{profile}/terugzetten/ in 404 404 404 -> ->   -> 404   404   404   ->
POST   /lijsten/stations/kolommen/       in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
POST   /lijsten/stations/filters/        in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /verbindingen/                    in    200   200   200   200   200   200   200   200   200   200
GET    /firmware/                        in    200   200   200   200   200   200   200   200   200   200
POST   /firmware/                        in    404   404   404   404   422   422   422   404   404   422
POST   /firmware/{image}/verwijderen/    in    404   404   404   404   ->    ->    404   404   404   ->
GET    /firmware/{image}/0/token-x/fw.bin 403  403   403   403   403   403   403   403   403   403   403
GET    /ocpp/{station}                   426   426   426   426   426   426   426   426   426   426   426
POST   /ontvangst/{ticket}/token-x       403   403   403   403   403   403   403   403   403   403   403
GET    /mijn/laden/                      in    200   200   200   200   200   200   200   200   200   200
POST   /mijn/meldingen/gezien/           in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /mijn/passen/                     in    200   200   200   200   200   200   200   200   200   200
POST   /mijn/passen/code/                in    422   422   422   422   422   422   422   422   422   422
POST   /mijn/passen/laden/               in    422   422   422   422   422   422   422   422   422   422
POST   /mijn/passen/laden/stop/          in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /mijn/passen/{token}/loskoppelen/ in    404   404   404   404   404   404   404   200   404   404
POST   /mijn/passen/{token}/loskoppelen/ in    404   404   404   404   404   404   404   ->    404   404
GET    /mijn/voorkeuren/                 in    200   200   200   200   200   200   200   200   200   200
POST   /mijn/voorkeuren/                 in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /mijn/gegevens/                   in    200   200   200   200   200   200   200   200   200   200
GET    /mijn/gegevens/gegevens.json      in    200   200   200   200   200   200   200   200   200   200
GET    /mijn/gegevens/metingen.csv       in    200   200   200   200   200   200   200   200   200   200
POST   /mijn/gegevens/wissen/            in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
POST   /mijn/gegevens/wissen/intrekken/  in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /werkvoorraad/                    in    404   404   200   200   200   200   200   404   404   200
GET    /werkvoorraad/limit/{lost}/       in    404   404   404   200   200   200   404   404   404   200
POST   /werkvoorraad/limit/{lost}/       in    404   404   404   ->    ->    ->    404   404   404   ->
POST   /werkvoorraad/limit/{lost}/terug/ in    404   404   404   ->    ->    ->    404   404   404   ->
GET    /sessies/                         in    404   404   200   200   200   200   200   404   404   200
GET    /tarieven/                        in    404   404   200   200   200   200   200   404   404   200
GET    /tarieven/{tariff}/               in    404   404   200   200   200   200   404   404   404   200
GET    /passen/                          in    404   404   200   200   200   200   200   404   404   200
GET    /passen/{card}/                   in    404   404   200   200   200   200   404   404   404   200
POST   /passen/{card}/code/              in    404   404   404   404   200   200   404   404   404   200
POST   /passen/{card}/code/intrekken/    in    404   404   404   404   ->    ->    404   404   404   ->
POST   /passen/{token}/ongedaan/         in    404   404   404   404   ->    ->    404   404   404   ->
GET    /mijn/sessies/                    in    200   200   200   200   200   200   200   200   200   200
GET    /mijn/sessies/sessies.csv         in    200   200   200   200   200   200   200   200   200   200
GET    /mijn/sessies/{session}/          in    404   404   404   404   404   404   404   200   404   404
GET    /mijn/sessies/{session}/vermogen.csv in 404   404   404   404   404   404   404   200   404   404
GET    /mijn/sessies/{session}/vermogen.json in 404  404   404   404   404   404   404   200   404   404
GET    /meldingen/                       in    200   200   200   200   200   200   200   200   200   200
POST   /meldingen/gelezen/               in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /meldingen/voorkeuren/            in    200   200   200   200   200   200   200   200   200   200
POST   /meldingen/voorkeuren/            in    422   422   422   422   422   422   422   422   422   422
GET    /meldingen/afmelden/token-x/      410   410   410   410   410   410   410   410   410   410   410
GET    /meldingen/{notice}/              in    404   404   404   404   404   ->    404   404   404   404
POST   /meldingen/{notice}/gelezen/      in    404   404   404   404   404   ->    404   404   404   404
GET    /webhooks/                        in    404   404   404   404   404   200   200   404   404   200
GET    /webhooks/nieuw/                  in    404   404   404   404   404   200   200   404   404   200
POST   /webhooks/nieuw/                  in    404   404   404   404   404   422   422   404   404   422
GET    /webhooks/{webhook}/              in    404   404   404   404   404   200   404   404   404   200
GET    /webhooks/{webhook}/wijzigen/     in    404   404   404   404   404   200   404   404   404   200
POST   /webhooks/{webhook}/wijzigen/     in    404   404   404   404   404   422   404   404   404   422
POST   /webhooks/{webhook}/proef/        in    404   404   404   404   404   ->    404   404   404   ->
POST   /webhooks/{webhook}/sleutel/      in    404   404   404   404   404   200   404   404   404   200
GET    /webhooks/{webhook}/verwijderen/  in    404   404   404   404   404   200   404   404   404   200
POST   /webhooks/{webhook}/verwijderen/  in    404   404   404   404   404   ->    404   404   404   ->
POST   /webhooks/{webhook}/leveringen/{delivery}/opnieuw/ in 404 404 404 404  404   ->    404   404   404   ->
GET    /logboek/                         in    200   200   404   404   404   200   200   404   404   200
GET    /logboek/logboek.csv              in    200   200   404   404   404   200   200   404   404   200
GET    /live/?station={station}          in    204   404   204   204   204   204   404   404   404   204
GET    /live/?session={session}          in    404   404   404   404   404   404   404   204   404   404
GET    /live/?rollout={rollout}          in    404   404   204   204   204   204   404   404   404   204
GET    /toegankelijkheid/                200   200   200   200   200   200   200   200   200   200   200
GET    /privacy/                         200   200   200   200   200   200   200   200   200   200   200
POST   /taal/                            ->    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /health/live                      200   200   200   200   200   200   200   200   200   200   200
GET    /health/ready                     200   200   200   200   200   200   200   200   200   200   200
"""

ACCOUNT = """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /account/                         in    200   200   200   200   200   200   200   200   200   200
POST   /account/                         in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/uitnodiging/token-x/     410   410   410   410   410   410   410   410   410   410   410
GET    /account/login/                   200   ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/logout/                  in    200   200   200   200   200   200   200   200   200   200
POST   /account/logout/                  in    in    in    in    in    in    in    in    in    in    in
GET    /account/inactive/                200   200   200   200   200   200   200   200   200   200   200
GET    /account/signup/                  200   ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/login/code/confirm/      in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/reauthenticate/          in    200   200   200   200   200   200   200   200   200   200
GET    /account/email/                   in    200   200   200   200   200   200   200   200   200   200
GET    /account/confirm-email/           200   200   200   200   200   200   200   200   200   200   200
GET    /account/confirm-email/key-x/     200   200   200   200   200   200   200   200   200   200   200
GET    /account/password/change/         in    200   200   200   200   200   200   200   200   200   200
GET    /account/password/set/            in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/password/reset/          200   200   200   200   200   200   200   200   200   200   200
GET    /account/password/reset/done/     200   200   200   200   200   200   200   200   200   200   200
GET    /account/password/reset/key/1-x/  200   200   200   200   200   200   200   200   200   200   200
GET    /account/password/reset/key/done/ 200   200   200   200   200   200   200   200   200   200   200
GET    /account/2fa/                     in    200   200   200   200   200   200   200   200   200   200
GET    /account/2fa/authenticate/        in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/2fa/reauthenticate/      in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/2fa/totp/activate/       in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/2fa/totp/deactivate/     in    404   404   404   404   404   404   404   404   404   404
GET    /account/2fa/recovery-codes/      in    404   404   404   404   404   404   404   404   404   404
GET    /account/2fa/recovery-codes/generate/ in ->   ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/2fa/recovery-codes/download/ in 404  404   404   404   404   404   404   404   404   404
GET    /account/2fa/webauthn/            in    200   200   200   200   200   200   200   200   200   200
GET    /account/2fa/webauthn/add/        in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/2fa/webauthn/reauthenticate/ in ->   ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/2fa/webauthn/login/      in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/2fa/webauthn/keys/{factor}/edit/ in -> ->  ->    ->    ->    ->    ->    ->    ->    ->
GET    /account/2fa/webauthn/keys/{factor}/remove/ in -> -> ->   ->    ->    ->    ->    ->    ->    ->
GET    /account/tokens/                  in    200   200   200   200   200   200   200   200   200   200
GET    /account/tokens/nieuw/            in    ->    ->    ->    ->    ->    ->    ->    ->    ->    ->
POST   /account/tokens/{apitoken}/intrekken/ in 404  404   404   404   404   404   404   ->    404   404
GET    /account/sessions/                in    200   200   200   200   200   200   200   200   200   200
POST   /account/sessions/1/eindigen/     in    404   404   404   404   404   404   404   404   404   404
GET    /account/3rdparty/                in    200   200   200   200   200   200   200   200   200   200
GET    /account/3rdparty/signup/         in    in    in    in    in    in    in    in    in    in    in
GET    /account/3rdparty/login/cancelled/ 200  200   200   200   200   200   200   200   200   200   200
GET    /account/3rdparty/login/error/    in    401   401   401   401   401   401   401   401   401   401
GET    /account/oidc/sso/login/          404   404   404   404   404   404   404   404   404   404   404
GET    /account/oidc/sso/login/callback/ 404   404   404   404   404   404   404   404   404   404   404
"""

PEOPLE = """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /mensen/                          in    404   404   404   404   404   200   200   404   404   200
GET    /mensen/{membership}/wegnemen/    in    404   404   404   404   404   200   404   404   404   200
POST   /mensen/{membership}/wegnemen/    in    404   404   404   404   404   ->    404   404   404   ->
GET    /mensen/uitnodigen/               in    404   404   404   404   404   200   200   404   404   200
POST   /mensen/uitnodigen/               in    404   404   404   404   404   422   422   404   404   422
GET    /mensen/uitnodigingen/            in    404   404   404   404   404   200   200   404   404   200
POST   /mensen/uitnodigingen/{invitation}/opnieuw/ in 404 404 404 404  404   ->    404   404   404   ->
POST   /mensen/uitnodigingen/{invitation}/intrekken/ in 404 404 404 404 404  ->    404   404   404   ->
"""

API = """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /api/v1/schema/                   401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/docs/                     in    200   200   200   200   200   200   200   200   200   200
GET    /api/v1/stations/                 401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/stations/{station}/       401   200   404   200   200   200   200   404   404   404   200
GET    /api/v1/stations/{station}/limit/ 401   200   404   200   200   200   200   404   404   404   200
GET    /api/v1/stations/{station}/installed/ 401 200 404  200   200   200   200   404   404   404   200
GET    /api/v1/stations/{station}/schedule/ 401 200  404   200   200   200   200   404   404   404   200
GET    /api/v1/stations/{station}/quarter-hours/ 401 200 404  200   200   200   200   404   404   404   200
GET    /api/v1/stations/{station}/messages/ 401 404  404   200   200   200   200   404   404   404   200
POST   /api/v1/stations/{station}/commands/ 401 404  404   404   404   202   202   404   404   404   202
GET    /api/v1/stations/{station}/configuration/ 401 200 404 200  200  200   200   404   404   404   200
POST   /api/v1/stations/{station}/configuration/ 401 404 404 404  404  202   202   404   404   404   202
GET    /api/v1/configuration-templates/  401   200   200   200   200   200   200   200   200   200   200
POST   /api/v1/configuration-templates/  401   404   404   404   404   201   201   404   404   404   201
GET    /api/v1/configuration-templates/{template}/ 401 404 404 200 200 200   200   404   404   404   200
DELETE /api/v1/configuration-templates/{template}/ 401 404 404 404 404 204   204   404   404   404   204
PUT    /api/v1/configuration-templates/{template}/ 401 404 404 404 404 200  200   404   404   404   200
GET    /api/v1/stations/{station2}/monitors/ 401 200 404 200  200   200   200   404   404   404   200
POST   /api/v1/stations/{station2}/monitors/ 401 404 404 404  404   202   202   404   404   404   202
DELETE /api/v1/stations/{station2}/monitors/{monitor}/ 401 404 404 404 404 204 204 404 404 404    204
POST   /api/v1/stations/{station2}/monitors/read/ 401 404 404 404 404 202  202   404   404   404   202
POST   /api/v1/stations/{station2}/monitoring/ 401 404 404 404 404  202   202   404   404   404   202
GET    /api/v1/stations/{station}/certificates/ 401 404 404 200 200 200   200   404   404   404   200
POST   /api/v1/stations/{station}/certificates/ 401 404 404 404 404 400   400   404   404   404   400
POST   /api/v1/stations/{station}/certificates/renew/ 401 404 404 404 404 400 400 404 404 404     400
POST   /api/v1/stations/{station}/certificates/{certificate}/revoke/ 401 404 404 404 404 200 200 404 404 404 200
GET    /api/v1/stations/{station}/roots/ 401   404   404   200   200   200   200   404   404   404   200
POST   /api/v1/stations/{station}/roots/ 401   404   404   404   404   400   400   404   404   404   400
POST   /api/v1/stations/{station}/roots/read/ 401 404 404 404 404   202   202   404   404   404   202
DELETE /api/v1/stations/{station}/roots/{root}/ 401 404 404 404 404 202   202   404   404   404   202
GET    /api/v1/configuration-rollouts/   401   200   200   200   200   200   200   200   200   200   200
POST   /api/v1/configuration-rollouts/   401   404   404   404   404   202   202   404   404   404   202
GET    /api/v1/configuration-rollouts/{rollout}/ 401 404 404 200  200  200   200   404   404   404   200
GET    /api/v1/configuration-rollouts/{rollout}/stations/ 401 404 404 200 200 200 200 404 404 404 200
POST   /api/v1/configuration-rollouts/{rollout}/cancel/ 401 404 404 404 404 202 202 404 404  404   202
POST   /api/v1/configuration-rollouts/{rollout}/retry/ 401 404 404 404 404 202 202  404  404   404   202
GET    /api/v1/commands/{command}/       401   404   404   200   200   200   200   404   404   404   200
GET    /api/v1/sessions/                 401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/sessions/{session}/       401   404   404   200   200   200   200   404   200   404   200
GET    /api/v1/sessions/{session}/readings/ 401 404  404   200   200   200   200   404   200   404   200
GET    /api/v1/stations/{station}/connection/ 401 404 404 200   200   200   200   404   404   404   200
GET    /api/v1/registers/                401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/registers/{station}/      401   200   404   200   200   200   200   404   404   404   200
GET    /api/v1/profiles/                 401   200   200   200   200   200   200   200   200   200   200
POST   /api/v1/profiles/                 401   404   404   404   201   201   201   404   404   404   201
GET    /api/v1/profiles/{profile}/       401   200   404   200   200   200   200   404   404   404   200
DELETE /api/v1/profiles/{profile}/       401   404   404   404   202   202   202   404   404   404   202
GET    /api/v1/drifts/                   401   200   200   200   200   200   200   200   200   200   200
POST   /api/v1/drifts/{drift}/put_back/  401   404   404   404   202   202   202   404   404   404   202
GET    /api/v1/external-limits/          401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/compliance/               401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/evidence/                 401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/evidence/{evidence}/      401   200   404   200   200   200   200   404   404   404   200
GET    /api/v1/evidence/{evidence}/reproduce/ 401 200 404   200   200   200   200   404   404   404   200
GET    /api/v1/audit/                    401   200   200   404   404   404   200   200   404   404   200
GET    /api/v1/cards/                    401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/cards/{card}/             401   404   404   200   200   200   200   404   404   404   200
GET    /api/v1/tariffs/                  401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/tariffs/{tariff}/         401   404   404   200   200   200   200   404   404   404   200
GET    /api/v1/people/                   401   404   404   404   404   404   200   200   404   404   200
GET    /api/v1/notices/                  401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/notices/{notice}/         401   404   404   404   404   404   200   404   404   404   404
POST   /api/v1/notices/{notice}/read/    401   404   404   404   404   404   200   404   404   404   404
GET    /api/v1/webhooks/                 401   200   200   200   200   200   200   200   200   200   200
POST   /api/v1/webhooks/                 401   404   404   404   404   404   201   404   404   404   201
GET    /api/v1/webhooks/{webhook}/       401   404   404   404   404   404   200   404   404   404   200
PUT    /api/v1/webhooks/{webhook}/       401   404   404   404   404   404   200   404   404   404   200
DELETE /api/v1/webhooks/{webhook}/       401   404   404   404   404   404   204   404   404   404   204
POST   /api/v1/webhooks/{webhook}/rotate/ 401  404   404   404   404   404   200   404   404   404   200
POST   /api/v1/webhooks/{webhook}/test/  401   404   404   404   404   404   202   404   404   404   202
GET    /api/v1/webhook-deliveries/       401   200   200   200   200   200   200   200   200   200   200
GET    /api/v1/webhook-deliveries/{delivery}/ 401 404 404 404  404   404   200   404   404   404   200
POST   /api/v1/webhook-deliveries/{delivery}/again/ 401 404 404 404 404 404 202  404   404   404   202
GET    /api/v1/probes/                   401   200   200   200   200   200   200   200   200   200   200
POST   /api/v1/probes/                   401   202   404   404   404   202   202   404   404   404   202
GET    /api/v1/probes/{probe}/           401   200   404   200   200   200   200   404   404   404   200
"""

# Who works for a party may enter the admin; a driver may not.
ADMIN = """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /beheer/                          in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/login/                    in    ->    ->    ->    ->    ->    ->    ->    403   403   ->
POST   /beheer/logout/                   in    200   200   200   200   200   200   200   ->    ->    200
GET    /beheer/password_change/          in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/password_change/done/     in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/autocomplete/             in    403   403   403   403   403   403   403   in    in    403
GET    /beheer/jsi18n/                   in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/r/0/0/                    in    404   404   404   404   404   404   404   in    in    404
GET    /beheer/stations/                 in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/accounts/user/{user}/password/ in 403 403 403  403   403   403   403   in    in    200
GET    /beheer/no-such-page              in    404   404   404   404   404   404   404   in    in    404
"""

# The admin has the same addresses for each model; models that are governed alike share a table.
ADMIN_MODELS = {
    "stations": ["station", "site"],
    "operators": ["token", "tokengroup", "tariff", "driftpolicy", "safelimit"],
    "parties": ["municipality", "operator", "concession"],
    "records": ["desiredprofile", "reportedschedule"],
    "system": ["user", "emailaddress"],
    "factors": ["authenticator", "apitoken"],
}
ADMIN_TABLES = {
    # What an administrator of the operator keeps; the official reads it.
    "stations": """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /beheer/{model}/                  in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/{model}/add/              in    403   403   403   403   403   200   200   in    in    200
GET    /beheer/{model}/{row}/            in    ->    ->    ->    ->    ->    ->    ->    in    in    ->
GET    /beheer/{model}/{row}/change/     in    200   ->    200   200   200   200   ->    in    in    200
GET    /beheer/{model}/{row}/history/    in    200   ->    200   200   200   200   ->    in    in    200
GET    /beheer/{model}/{row}/delete/     in    403   403   403   403   403   200   ->    in    in    200
""",
    # Cards and prices: an official never sees them.
    "operators": """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /beheer/{model}/                  in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/{model}/add/              in    403   403   403   403   403   200   200   in    in    200
GET    /beheer/{model}/{row}/            in    ->    ->    ->    ->    ->    ->    ->    in    in    ->
GET    /beheer/{model}/{row}/change/     in    ->    ->    200   200   200   200   ->    in    in    200
GET    /beheer/{model}/{row}/history/    in    ->    ->    200   200   200   200   ->    in    in    200
GET    /beheer/{model}/{row}/delete/     in    403   403   403   403   403   200   ->    in    in    200
""",
    # What parties agree on with one another: both sides read it, superusers change it.
    "parties": """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /beheer/{model}/                  in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/{model}/add/              in    403   403   403   403   403   403   403   in    in    200
GET    /beheer/{model}/{row}/            in    ->    ->    ->    ->    ->    ->    ->    in    in    ->
GET    /beheer/{model}/{row}/change/     in    200   ->    200   200   200   200   ->    in    in    200
GET    /beheer/{model}/{row}/history/    in    200   ->    200   200   200   200   ->    in    in    200
GET    /beheer/{model}/{row}/delete/     in    403   403   403   403   403   403   403   in    in    200
""",
    # What the product itself writes: nobody changes it.
    "records": """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /beheer/{model}/                  in    200   200   200   200   200   200   200   in    in    200
GET    /beheer/{model}/add/              in    403   403   403   403   403   403   403   in    in    403
GET    /beheer/{model}/{row}/            in    ->    ->    ->    ->    ->    ->    ->    in    in    ->
GET    /beheer/{model}/{row}/change/     in    200   ->    200   200   200   200   ->    in    in    200
GET    /beheer/{model}/{row}/history/    in    200   ->    200   200   200   200   ->    in    in    200
GET    /beheer/{model}/{row}/delete/     in    403   403   403   403   403   403   403   in    in    403
""",
    # The second factor of somebody who lost it: a superuser takes it away, and nobody gives one.
    "factors": """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /beheer/{model}/                  in    403   403   403   403   403   403   403   in    in    200
GET    /beheer/{model}/add/              in    403   403   403   403   403   403   403   in    in    403
GET    /beheer/{model}/{row}/            in    ->    ->    ->    ->    ->    ->    ->    in    in    ->
GET    /beheer/{model}/{row}/change/     in    403   403   403   403   403   403   403   in    in    200
GET    /beheer/{model}/{row}/history/    in    403   403   403   403   403   403   403   in    in    200
GET    /beheer/{model}/{row}/delete/     in    403   403   403   403   403   403   403   in    in    200
""",
    # People, and the keys of the API.
    "system": """
                                         anony offic stran reade plann opera manag rival drive passe super
GET    /beheer/{model}/                  in    403   403   403   403   403   403   403   in    in    200
GET    /beheer/{model}/add/              in    403   403   403   403   403   403   403   in    in    200
GET    /beheer/{model}/{row}/            in    ->    ->    ->    ->    ->    ->    ->    in    in    ->
GET    /beheer/{model}/{row}/change/     in    403   403   403   403   403   403   403   in    in    200
GET    /beheer/{model}/{row}/history/    in    403   403   403   403   403   403   403   in    in    200
GET    /beheer/{model}/{row}/delete/     in    403   403   403   403   403   403   403   in    in    200
""",
}
