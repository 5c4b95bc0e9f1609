"""Addresses about people. Those of the own account are allauth's, in English as it has them."""

from allauth.account import urls as account
from allauth.mfa import urls as mfa
from allauth.socialaccount import urls as socialaccount
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.usersessions import urls as usersessions
from django.urls import URLPattern, URLResolver, include, path

from portal.accounts import token_views, views

account_urls: list[URLPattern | URLResolver] = [
    path("", views.overview, name="account_overview"),
    path("uitnodiging/<str:token>/", views.invitation, name="invitation"),
    path("", include(account)),
    path("tokens/", token_views.tokens, name="account_tokens"),
    path("tokens/nieuw/", token_views.new_token, name="account_token_new"),
    path("tokens/<int:pk>/intrekken/", token_views.revoke_token, name="account_token_revoke"),
    path("2fa/", include(mfa)),
    path("sessions/", include(usersessions)),
    path("sessions/<int:pk>/eindigen/", views.end_session, name="session_end"),
    path("3rdparty/", include(socialaccount)),
    path("oidc/<str:provider_id>/login/", views.provider_login, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", openid_connect.callback, name="openid_connect_callback"),
]
