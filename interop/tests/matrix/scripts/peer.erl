#!/usr/bin/env escript
%% Erlang's ssl as a peer. The lines it is told: peers/scripted.rs.
-mode(compile).

-define(CHUNK, 16384).
-define(LIMIT, 20000).

main(_) ->
    %% Reports of connections that were cut would come between the answers.
    ok = logger:set_primary_config(level, none),
    {ok, _} = application:ensure_all_started(ssl),
    {ok, Version} = application:get_key(ssl, vsn),
    say("Erlang/OTP ~s ssl ~s", [erlang:system_info(otp_release), Version]),
    lines(none).

say(Format, Arguments) ->
    Line = lists:flatten(io_lib:format(Format, Arguments)),
    io:format("~s~n", [[case C of $\n -> $\s; _ -> C end || C <- Line]]).

lines(Listener) ->
    case io:get_line("") of
        Line when is_list(Line) ->
            [Word | Words] = string:lexemes(Line, " \n"),
            Options = maps:from_list([list_to_tuple(string:split(W, "=")) || W <- Words]),
            lines(command(Word, Options, Listener));
        _ -> ok
    end.

command("serve", O, Listener) ->
    try serve(O) catch _:Why -> say("failed ~0P", [Why, 30]), Listener end;
command("connect", O, Listener) ->
    try connect(O), say("ok", []) catch _:Why -> say("failed ~0P", [Why, 30]) end,
    Listener;
command("stop", _, Listener) when Listener =/= none ->
    ssl:close(Listener),
    none.

number(Name, O) -> list_to_integer(maps:get(Name, O)).

common(#{"ca" := Ca, "version" := Version} = O) ->
    Names = case Version of "1.2" -> ['tlsv1.2']; "1.3" -> ['tlsv1.3'] end,
    Own = case O of
        #{"cert" := Cert, "key" := Key} -> [{certfile, Cert}, {keyfile, Key}];
        _ -> []
    end,
    Own ++ [{versions, Names}, {cacertfile, Ca}, {active, false}, {mode, binary}, {nodelay, true}, {log_level, none}].

%% ---- The server ----

serve(#{"version" := Version, "auth" := Auth} = O) ->
    Verify = case Auth of
        "no" -> [{verify, verify_none}];
        "request" -> [{verify, verify_peer}, {fail_if_no_peer_cert, false}];
        "require" -> [{verify, verify_peer}, {fail_if_no_peer_cert, true}]
    end,
    More = case Version of
        "1.2" -> [{dhfile, maps:get("dh", O)}, {ciphers, ssl:cipher_suites(all, 'tlsv1.2')}];
        "1.3" -> [{session_tickets, stateless}, {supported_groups, groups()}]
    end,
    Alpn = case O of
        #{"alpn" := Name} -> [{alpn_preferred_protocols, [list_to_binary(Name)]}];
        _ -> []
    end,
    {ok, Listener} = ssl:listen(0, Alpn ++ [{ip, {127, 0, 0, 1}}, {reuseaddr, true} | common(O) ++ Verify ++ More]),
    {ok, {_, Port}} = ssl:sockname(Listener),
    spawn(fun() -> accept(Listener, O) end),
    say("listening ~b", [Port]),
    Listener.

groups() -> [x25519, x448, secp256r1, secp384r1, secp521r1, ffdhe2048, ffdhe3072, ffdhe4096, ffdhe6144, ffdhe8192].

accept(Listener, O) ->
    case ssl:transport_accept(Listener) of
        {ok, Raw} ->
            Serving = spawn(fun() ->
                receive go -> ok end,
                try serve_one(Raw, O) catch _:Why -> say("log served with ~0P", [Why, 30]) end
            end),
            ok = ssl:controlling_process(Raw, Serving),
            Serving ! go,
            accept(Listener, O);
        {error, _} -> ok
    end.

serve_one(Raw, O) ->
    {ok, Tls} = ssl:handshake(Raw, ?LIMIT),
    End = maps:get("end", O),
    echo_back(Tls, End, number("bytes", O)),
    case End of
        "cut" -> cut(Tls);
        "client" -> ssl:close(Tls);
        "server" -> close_first(Tls)
    end.

%% Until the client closes, or until so many bytes went back where it is not the client that does.
echo_back(_, End, Left) when End =/= "client", Left =< 0 -> ok;
echo_back(Tls, End, Left) ->
    case ssl:recv(Tls, 0, ?LIMIT) of
        {ok, Data} ->
            ok = ssl:send(Tls, Data),
            echo_back(Tls, End, Left - byte_size(Data));
        {error, closed} when End =:= "client" -> ok
    end.

%% Whoever owns the TCP connection dies, and nobody says close_notify.
cut(Tls) -> [exit(Pid, kill) || Pid <- element(3, Tls), is_pid(Pid)].

%% With a time, the answer is waited for. `ssl:shutdown(_, write)` ends TCP without a close_notify.
close_first(Tls) -> ok = ssl:close(Tls, ?LIMIT).

%% ---- The client ----

connect(#{"version" := Version, "suite" := Suite} = O) ->
    Groups = case O of
        #{"group" := Names} -> [list_to_atom(Name) || Name <- string:lexemes(Names, ",")];
        _ -> none
    end,
    More = case {Version, Groups} of
        {"1.2", none} -> [{reuse_sessions, save}];
        {"1.2", _} -> [{eccs, [G || G <- Groups, lists:member(G, ssl:eccs())]}];
        {"1.3", none} -> [{supported_groups, groups()}, {session_tickets, manual}];
        {"1.3", _} -> [{supported_groups, Groups}, {session_tickets, manual}]
    end,
    Alpn = case O of
        #{"alpn" := List} -> [{alpn_advertised_protocols, [list_to_binary(Name) || Name <- string:lexemes(List, ",")]}];
        _ -> []
    end,
    Options = Alpn ++ [{server_name_indication, "localhost"}, {verify, verify_peer}, {ciphers, [ssl:str_to_suite(Suite)]}],
    {ok, Payload} = file:read_file(maps:get("payload", O)),
    connections(number("connections", O), Options ++ common(O) ++ More, Payload, O, []).

connections(0, _, _, _, _) -> ok;
connections(Left, Options, Payload, O, Session) ->
    {ok, Tls} = ssl:connect({127, 0, 0, 1}, number("port", O), Session ++ Options, ?LIMIT),
    talk(Tls, Payload),
    maps:is_key("alpn", O) andalso ({ok, <<"http/1.1">>} = ssl:negotiated_protocol(Tls)),
    {ok, Facts} = ssl:connection_information(Tls, [session_resumption, session_id, session_data]),
    {resumed, true} = {resumed, resumed(Facts, Session) =:= (Session =/= [])},
    Next = case maps:get("version", O) of
        "1.2" -> [{reuse_session, {proplists:get_value(session_id, Facts), proplists:get_value(session_data, Facts)}}];
        "1.3" when Left > 1 -> receive {ssl, session_ticket, Ticket} -> [{use_ticket, [Ticket]}] after ?LIMIT -> throw(no_ticket) end;
        "1.3" -> []
    end,
    finish(Tls, maps:get("end", O)),
    connections(Left - 1, Options, Payload, O, Next).

%% What it says of TLS 1.2 is of its server alone.
resumed(Facts, [{reuse_session, {Id, _}}]) -> proplists:get_value(session_id, Facts) =:= Id;
resumed(Facts, _) -> proplists:get_value(session_resumption, Facts).

talk(Tls, <<Piece:?CHUNK/binary, Rest/binary>>) ->
    piece(Tls, Piece),
    talk(Tls, Rest);
talk(_, <<>>) -> ok;
talk(Tls, Piece) -> piece(Tls, Piece).

piece(Tls, Piece) ->
    ok = ssl:send(Tls, Piece),
    {ok, Piece} = ssl:recv(Tls, byte_size(Piece), ?LIMIT).

finish(Tls, "cut") -> cut(Tls);
finish(Tls, "client") -> close_first(Tls);
finish(Tls, "server") ->
    {error, closed} = ssl:recv(Tls, 0, ?LIMIT),
    ssl:close(Tls).
