// The German of the page, by the ids of its messages; `npm run translations` says what is missing.
export const translations: Readonly<Record<string, string>> = {
  // Try again
  '6650633628037596693': 'Nochmal versuchen',
  // No
  '3542042671420335679': 'Nein',
  // Loading
  '7619560701830330401': 'Lädt',
  // As of {$seconds} s ago
  '7685392977216604390': 'Stand: vor {$seconds} s',
  // As of {$minutes} min ago
  '7828094132044937348': 'Stand: vor {$minutes} min',
  // Copy
  '4323470180912194028': 'Kopieren',
  // Copied
  '2115592966120408375': 'Kopiert',
  // Copying failed
  '1516458957312831961': 'Kopieren fehlgeschlagen',
  // Trace
  '7869196447743949096': 'Trace',
  // The {$service} is unavailable.
  '4258105986484054852': 'Der {$service} ist nicht verfügbar.',
  // The {$service} could not be reached.
  '1132705718492258917': 'Der {$service} war nicht erreichbar.',
  // Something went wrong.
  '460799937634193265': 'Etwas ist schiefgegangen.',
  // You have to sign in again.
  '5963498108723340887': 'Du musst dich neu anmelden.',
  // Your account may not do this.
  '5792422170491469295': 'Dein Konto darf das nicht.',
  // order service
  '2873202160587677258': 'Bestelldienst',
  // inventory service
  '6472859477029436571': 'Lagerdienst',
  // notification service
  '5864807101563434532': 'Benachrichtigungsdienst',
  // processing service
  '6845457654676190212': 'Verarbeitungsdienst',
  // Created
  '4207916966377787111': 'Angelegt',
  // Updated
  '7239750919884229270': 'Geändert',
  // Closed
  '7860418101283165917': 'Erledigt',
  // Failed
  '7256395947475975935': 'Gescheitert',
  // Cancelled
  '4043049091728011235': 'Storniert',
  // Interfaces · Orderstream
  '2878785359306471364': 'Schnittstellen · Orderstream',
  // Interfaces
  '3591838911718818191': 'Schnittstellen',
  // What each service answers over HTTP, and what goes over queues and streams. A refusal is a problem document (RFC 9457).
  '322240186113857362':
    'Was jeder Dienst über HTTP antwortet und was über Queues und Streams geht. Eine Ablehnung ist ein Problemdokument (RFC 9457).',
  // Queues and streams
  '5522056281164984212': 'Queues und Streams',
  // The document as JSON
  '6108463153481072467': 'Das Dokument als JSON',
  // Parameters
  '2250922476634643797': 'Parameter',
  // Request body
  '6732843978314953948': 'Request-Body',
  // , optional
  '2519096951372738032': ', optional',
  // For: {$names}.
  '8757211455859323745': 'Für: {$names}.',
  // The document at {$url} can’t be read.
  '7381308681171106604': 'Das Dokument unter {$url} ist nicht lesbar.',
  // Live feed
  '6641370565501204490': 'Live-Feed',
  // Live feed · Orderstream
  '2837457523682132405': 'Live-Feed · Orderstream',
  // All changes of all orders, pushed by the notification service.
  '3871989225974657283': 'Alle Änderungen aller Bestellungen, vom Benachrichtigungsdienst gesendet.',
  // All changes of your orders, pushed by the notification service.
  '9105387119811950248': 'Alle Änderungen deiner Bestellungen, vom Benachrichtigungsdienst gesendet.',
  // Connection
  '2303041439224647987': 'Verbindung',
  // State
  '5911214550882917183': 'Zustand',
  // Connecting
  '5497627646066282315': 'Verbindet',
  // Live
  '8610504659433544583': 'Live',
  // Reconnecting
  '6663303198931877329': 'Verbindet neu',
  // Disconnected
  '6372605469917594609': 'Getrennt',
  // Browser is offline
  '3618845760394256932': 'Browser ist offline',
  // The notification service can’t read the feed. Notifications are delayed until it can, and none is lost.
  '5394274291347993830':
    'Der Benachrichtigungsdienst kann den Feed nicht lesen. Benachrichtigungen sind verzögert, bis er es wieder kann; keine geht verloren.',
  // The notification service ended the connection, and nothing arrives.
  '5130792776829383150': 'Der Benachrichtigungsdienst hat die Verbindung beendet, nichts kommt mehr an.',
  // Connect again
  '3824904936980487080': 'Neu verbinden',
  // Protocol
  '3783562484965706612': 'Protokoll',
  // Switch at any time: the new connection resumes after the last event id.
  '4786770390387562418': 'Jederzeit wechselbar: Die neue Verbindung setzt nach der letzten Event-ID fort.',
  // Shared by all tabs
  '6779078480296307032': 'Von allen Tabs geteilt',
  // This tab holds the connection
  '2408181044144772974': 'Dieser Tab hält die Verbindung',
  // Another tab holds the connection
  '5717558255448788424': 'Ein anderer Tab hält die Verbindung',
  // This browser keeps tabs from sharing: each has its own
  '1416796966248520653': 'Dieser Browser lässt Tabs nicht teilen: Jeder hat seine eigene',
  // Counters
  '6649268813862575213': 'Zähler',
  // Received
  '8691920320483720007': 'Empfangen',
  // Recovered
  '4943467939613991741': 'Nachgeholt',
  // Reconnects
  '5668657773105676651': 'Neuverbindungen',
  // Resets
  '5392685366823751047': 'Resets',
  // Malformed, skipped
  '1020858732403935112': 'Fehlerhaft, übersprungen',
  // View
  '2509141182388535183': 'Ansicht',
  // Feed
  '642534594356440342': 'Feed',
  // SSE and WebSocket side by side
  '384325101616554767': 'SSE und WebSocket nebeneinander',
  // Notifications
  '5851560788527570644': 'Benachrichtigungen',
  // Orders
  '6575195871133210332': 'Bestellungen',
  // Order numbers, for example 12 or 12, 15. Empty shows all.
  '3491254369051358030': 'Bestellnummern, zum Beispiel 12 oder 12, 15. Leer zeigt alle.',
  // Enter order numbers, separated by commas or spaces.
  '2726866505401007756': 'Gib Bestellnummern ein, durch Kommas oder Leerzeichen getrennt.',
  // The history is read for these orders alone; the shared connection receives all. A separate client can request {$address}.
  '4059691977804340900':
    'Der Verlauf wird nur für diese Bestellungen gelesen; die geteilte Verbindung empfängt alle. Ein eigener Client kann {$address} abrufen.',
  // Pause
  '9042260521669277115': 'Anhalten',
  // Resume
  '7182974689040833178': 'Fortsetzen',
  // Paused: {$count} new
  '5171997552055458741': 'Angehalten: {$count} neue',
  // {$all} shown
  '5158391504425535357': '{$all} gezeigt',
  // the newest {$shown} of {$all} shown
  '5270192044445843308': 'die neuesten {$shown} von {$all} gezeigt',
  // Show older notifications
  '4884661379500147287': 'Ältere Benachrichtigungen zeigen',
  // Earlier notifications can’t be read.
  '642862407565819755': 'Frühere Benachrichtigungen sind nicht lesbar.',
  // history
  '4641895522402836165': 'Verlauf',
  // No notifications yet.
  '548260473414119371': 'Noch keine Benachrichtigungen.',
  // Place an order to see its notifications here.
  '1484956542780321994': 'Gib eine Bestellung auf, um ihre Benachrichtigungen hier zu sehen.',
  // No notifications of these orders yet.
  '5694864839496348673': 'Noch keine Benachrichtigungen dieser Bestellungen.',
  // To the shop
  '7772585614794004472': 'Zum Shop',
  // Order {$id}
  '8501110523876525725': 'Bestellung {$id}',
  // version {$version}
  '9177127065317753258': 'Version {$version}',
  // Happened
  '927762516180355040': 'Geschehen',
  // Latency
  '7008251714303377071': 'Latenz',
  // Side by side
  '1746074439662851135': 'Nebeneinander',
  // A connection over each protocol, besides that of the feed, and what they receive.
  '4890610375425910821': 'Eine Verbindung je Protokoll, neben der des Feeds, und was sie empfangen.',
  // Over {$protocol}
  '8760445171564721783': 'Über {$protocol}',
  // Heartbeat
  '500778862469493166': 'Heartbeat',
  // Latency p50
  '3453176368591583777': 'Latenz p50',
  // Latency p95
  '8558148897165483544': 'Latenz p95',
  // Bytes per notification
  '1735258626990762301': 'Bytes je Benachrichtigung',
  // Compared
  '1729912173978696794': 'Verglichen',
  // Latency of the last {$count} notifications over {$protocol}, from oldest to newest
  '1668759960001515889':
    'Latenz der letzten {$count} Benachrichtigungen über {$protocol}, von der ältesten zur neuesten',
  // Difference
  '5613733318610282610': 'Unterschied',
  // Difference p50
  '2505160776051710703': 'Unterschied p50',
  // Difference p95
  '4566876477710415977': 'Unterschied p95',
  // First
  '2241508602425256033': 'Zuerst',
  // {$protocol}: {$count} of {$all}
  '1462390801522413251': '{$protocol}: {$count} von {$all}',
  // Latency is the time of arrival by this machine’s clock minus the time of the change by the service’s clock. A clock offset shifts both latencies equally and leaves their difference exact.
  '9186555993168118239':
    'Latenz ist die Ankunftszeit nach der Uhr dieses Rechners minus die Zeit der Änderung nach der Uhr des Dienstes. Gehen die Uhren verschieden, verschiebt das beide Latenzen gleich; ihr Unterschied bleibt genau.',
  // All tabs that compare share the two connections.
  '1868391299253373743': 'Alle vergleichenden Tabs teilen sich die zwei Verbindungen.',
  // This browser keeps tabs from sharing: each tab that compares has its own two connections. Over HTTP/1.1, more than five of them block each other and the rest of the page.
  '4153685210839672779':
    'Dieser Browser lässt Tabs nicht teilen: Jeder vergleichende Tab hat zwei eigene Verbindungen. Über HTTP/1.1 blockieren mehr als fünf davon einander und den Rest der Seite.',
  // less than 1 ms apart: {$count} of {$all}
  '4745969068549085305': 'weniger als 1 ms auseinander: {$count} von {$all}',
  // Clock offset: this machine is at least {$difference} behind the service.
  '5348342247320777258': 'Uhrenabweichung: Dieser Rechner geht dem Dienst mindestens {$difference} nach.',
  // The service writes each notification to its SSE clients first, microseconds ahead. What is measured here is mostly how this browser hands it to the page: another browser may prefer the other protocol.
  '6520575750516882610':
    'Der Dienst schreibt jede Benachrichtigung zuerst an seine SSE-Clients, Mikrosekunden vorher. Gemessen wird hier vor allem, wie dieser Browser sie der Seite übergibt: Ein anderer kann das andere Protokoll bevorzugen.',
  // Bytes over HTTP/1.1, including the chunk or frame header.
  '4115926013780424821': 'Bytes über HTTP/1.1, mit dem Header des Chunks oder Frames.',
  // Recent notifications over both protocols
  '1922215657188932444': 'Letzte Benachrichtigungen über beide Protokolle',
  // Notification
  '8044304973848447418': 'Benachrichtigung',
  // WebSocket after SSE
  '8954829372187722447': 'WebSocket nach SSE',
  // not received
  '8122942858130587502': 'nicht empfangen',
  // No notifications to compare yet.
  '7934628357162842106': 'Noch keine Benachrichtigungen zum Vergleichen.',
  // Trade-offs
  '5044426357940437057': 'Abwägungen',
  // Direction
  '4328738626502194147': 'Richtung',
  // From the service to the page only.
  '7054902277615659182': 'Nur vom Dienst zur Seite.',
  // Both: the page can send messages, such as a filter.
  '2339631862869057171': 'Beide: Die Seite kann Nachrichten senden, etwa einen Filter.',
  // Filter change
  '2606459809839185269': 'Filterwechsel',
  // Needs a new connection.
  '2812862683970323080': 'Braucht eine neue Verbindung.',
  // One message on the open connection.
  '349671541476691245': 'Eine Nachricht über die offene Verbindung.',
  // Built into the browser’s EventSource, which gives up after an error status. This page reads the stream and reconnects itself.
  '3506734668965612223':
    'Im EventSource des Browsers eingebaut, das nach einem Fehlerstatus aufgibt. Diese Seite liest den Stream selbst und verbindet selbst neu.',
  // By the page.
  '7141658203914241696': 'Durch die Seite.',
  // Heartbeats
  '4609168244736849894': 'Heartbeats',
  // Every 5 seconds for this page, 15 by default, with the position in the feed.
  '2178808887797126059': 'Alle 5 Sekunden für diese Seite, sonst alle 15, mit der Position im Feed.',
  // The same.
  '4375471434426987080': 'Gleich.',
  // Close
  '7819314041543176992': 'Ende',
  // A last event has the reason and the reconnection time.
  '6562381092123897770': 'Ein letztes Event nennt den Grund und die Wartezeit bis zum Neuverbinden.',
  // The same, and a close code.
  '7653863876124267154': 'Gleich, dazu ein Close-Code.',
  // Connections
  '2557623954339695776': 'Verbindungen',
  // One of a browser’s six connections per host over HTTP/1.1. About a hundred streams over HTTP/2.
  '6429536392155498481':
    'Eine der sechs Verbindungen eines Browsers je Host über HTTP/1.1. Etwa hundert Streams über HTTP/2.',
  // Outside of that limit.
  '1181167854294203671': 'Außerhalb dieser Grenze.',
  // Proxies
  '7407108521149819911': 'Proxys',
  // Plain HTTP: any proxy that does not buffer responses.
  '4866751829935697454': 'Einfaches HTTP: jeder Proxy, der Antworten nicht puffert.',
  // Proxies have to support the upgrade, and the service has to check the Origin header.
  '585138806401084174': 'Proxys müssen das Upgrade unterstützen, und der Dienst muss den Origin-Header prüfen.',
  // Operations
  '7457179823984196306': 'Betrieb',
  // Operations · Orderstream
  '617288495453319223': 'Betrieb · Orderstream',
  // The {$service} returns no metrics.
  '3286849285634736696': 'Der {$service} liefert keine Metriken.',
  // The {$service} returns no metrics. Values as of {$time}.
  '2951008835231264356': 'Der {$service} liefert keine Metriken. Werte von {$time}.',
  // State of the system
  '6091574226862324864': 'Zustand des Systems',
  // Healthy
  '7790772795962334429': 'Gesund',
  // Degraded
  '3120522496446378904': 'Beeinträchtigt',
  // Critical
  '2437478124199610198': 'Kritisch',
  // Checking all services
  '1148621134530928241': 'Alle Dienste werden geprüft',
  // Partly unknown
  '8309523003345089068': 'Teilweise unbekannt',
  // All services are ready. No queue has a backlog, no order is late.
  '2780405395280724005': 'Alle Dienste sind bereit. Keine Queue hat einen Rückstau, keine Bestellung ist verspätet.',
  // Healthy since {$time}
  '3657740097616031182': 'Gesund seit {$time}',
  // Healthy, watched since {$time}
  '4077315520717354682': 'Gesund, beobachtet seit {$time}',
  // Since {$time}.
  '4731496948905938422': 'Seit {$time}.',
  // Since before {$time}.
  '1600528814121799059': 'Seit vor {$time}.',
  // Affected: {$names}.
  '4280475022599167824': 'Betroffen: {$names}.',
  // consequence
  '110826295615245262': 'Folge',
  // consequences
  '7233152344999317205': 'Folgen',
  // Before
  '1218334388194408974': 'Zuvor',
  // {$number} more, below.
  '48334783975357063': '{$number} mehr, weiter unten.',
  // incident
  '217859928661766887': 'Störung',
  // incidents
  '6581849138695893813': 'Störungen',
  // {$replica} can’t be reached.
  '2551736621697709976': '{$replica} ist nicht erreichbar.',
  // {$replica} is not ready: {$failing}.
  '8111531675117469832': '{$replica} ist nicht bereit: {$failing}.',
  // {$replica} is not ready.
  '1960401639217437526': '{$replica} ist nicht bereit.',
  // {$dependency} is unavailable to all services.
  '3922025005658476256': '{$dependency} ist für keinen Dienst verfügbar.',
  // {$dependency} is unavailable to {$replicas}.
  '2845145378481396143': '{$dependency} ist nicht verfügbar für {$replicas}.',
  // The {$service} answered {$number} of {$requests} with 502, 503 or 504 in the last minute.
  '8371656693883138046':
    'Der {$service} hat in der letzten Minute {$number} von {$requests} mit 502, 503 oder 504 beantwortet.',
  // request
  '3587778497229799551': 'Anfrage',
  // requests
  '1468515715816433564': 'Anfragen',
  // {$number} in {$queue}.
  '5209949551349138172': '{$number} in {$queue}.',
  // message
  '2154216727411550160': 'Nachricht',
  // messages
  '4101852533995361725': 'Nachrichten',
  // message waits
  '6667559415576271520': 'Nachricht wartet',
  // messages wait
  '1783024164758855645': 'Nachrichten warten',
  // The depth of {$queues} was last updated {$seconds} ago.
  '7196306227003417461': 'Die Länge von {$queues} wurde zuletzt vor {$seconds} aktualisiert.',
  // The outbox of the {$service} has {$pending}, the oldest {$seconds} old.
  '8429247774752908150': 'Die Outbox vom {$service} hat {$pending}, das älteste {$seconds} alt.',
  // unsent event
  '1266174346371066878': 'ungesendetes Event',
  // unsent events
  '6743047565413161828': 'ungesendete Events',
  // {$late}, the oldest saga has been open for {$seconds}.
  '6218163815969459661': '{$late}, die älteste Saga ist seit {$seconds} offen.',
  // order is late
  '3576518390492188787': 'Bestellung ist verspätet',
  // orders are late
  '3827440246591539456': 'Bestellungen sind verspätet',
  // The circuit breaker of the {$service} for the {$client} is open.
  '2101795033951340766': 'Der Circuit-Breaker vom {$service} für den {$client} ist offen.',
  // The live push lags {$number} behind the feed.
  '7698890927638630803': 'Der Live-Push liegt {$number} hinter dem Feed.',
  // notification
  '6974806173132372079': 'Benachrichtigung',
  // notifications
  '4266840611841106845': 'Benachrichtigungen',
  // {$number} refused in the last minute.
  '7804295978173979182': '{$number} in der letzten Minute abgewiesen.',
  // push connection was
  '8105223854377662858': 'Push-Verbindung wurde',
  // push connections were
  '6344851539653456522': 'Push-Verbindungen wurden',
  // The {$service} answered {$number} with status 500 in the last minute.
  '6450916871249005135': 'Der {$service} hat in der letzten Minute {$number} mit Status 500 beantwortet.',
  // The {$service} dropped {$number} in the last minute.
  '1803414925937848699': 'Der {$service} hat in der letzten Minute {$number} verworfen.',
  // log line
  '5572248724398520563': 'Logzeile',
  // log lines
  '2432963159688758428': 'Logzeilen',
  // {$dependency} was unavailable.
  '3009966092719493426': '{$dependency} war nicht verfügbar.',
  // {$dependency} was unavailable to {$replicas}.
  '1082896992676770216': '{$dependency} war nicht verfügbar für {$replicas}.',
  // {$replica} could not be reached.
  '4041017285131770833': '{$replica} war nicht erreichbar.',
  // {$replica} was not ready: {$failing}.
  '7980774004939582280': '{$replica} war nicht bereit: {$failing}.',
  // {$replica} was not ready.
  '9197013627268903267': '{$replica} war nicht bereit.',
  // Messages in {$queue}.
  '766488870576672334': 'Nachrichten in {$queue}.',
  // Backlog in {$queue}.
  '6974352285951929701': 'Rückstau in {$queue}.',
  // The depth of queues was unknown.
  '2929032784369010887': 'Die Länge der Queues war unbekannt.',
  // The {$service} could not send its events.
  '6728880658332815683': 'Der {$service} konnte seine Events nicht senden.',
  // Orders were late.
  '6781467756743508447': 'Bestellungen waren verspätet.',
  // The circuit breaker of the {$service} for the {$client} was open.
  '5421701086051683223': 'Der Circuit-Breaker vom {$service} für den {$client} war offen.',
  // The live push lagged behind the feed.
  '1390909932074840817': 'Der Live-Push lag hinter dem Feed.',
  // Push connections were refused.
  '4390359954463419233': 'Push-Verbindungen wurden abgewiesen.',
  // The {$service} answered requests with status 500.
  '3625100262886015399': 'Der {$service} hat Anfragen mit Status 500 beantwortet.',
  // The {$service} answered requests with 502, 503 or 504.
  '2193597797069603664': 'Der {$service} hat Anfragen mit 502, 503 oder 504 beantwortet.',
  // The {$service} dropped log lines.
  '1314869565653782178': 'Der {$service} hat Logzeilen verworfen.',
  // late order
  '4508144601410016571': 'verspätete Bestellung',
  // late orders
  '2061995102900607513': 'verspätete Bestellungen',
  // live push
  '4245474819748089365': 'Live-Push',
  // Incidents
  '2668441742974539331': 'Störungen',
  // What this tab has seen while this page was open, in the last 24 hours.
  '4631247416013585990': 'Was dieser Tab gesehen hat, während diese Seite offen war, in den letzten 24 Stunden.',
  // No incident seen.
  '7099168413102915619': 'Keine Störung gesehen.',
  // since {$from}
  '7632718317773176141': 'seit {$from}',
  // since before {$from}
  '1884143670023041063': 'seit vor {$from}',
  // {$replica} was restarted at {$time}.
  '459141524251330785': '{$replica} wurde um {$time} neu gestartet.',
  // Requests of the last minute
  '8203207018680978443': 'Anfragen der letzten Minute',
  // Without those for health, metrics, and what operators look at.
  '941166140577219945': 'Ohne die nach Zustand und Metriken und das, was Betreiber ansehen.',
  // Service
  '2218082343053095278': 'Dienst',
  // Requests
  '2398407606701767789': 'Anfragen',
  // Known once a service has returned its metrics twice.
  '9004215599727543226': 'Bekannt, sobald ein Dienst seine Metriken zweimal geliefert hat.',
  // By status
  '2808208632099913261': 'Nach Status',
  // Status
  '5611592591303869712': 'Status',
  // No request in the last minute.
  '1438306506988274731': 'Keine Anfrage in der letzten Minute.',
  // Refusals by reason
  '7173711739137505321': 'Ablehnungen nach Grund',
  // None reported since the services were started.
  '457164012793336543': 'Seit dem Start der Dienste ist keine gemeldet.',
  // Order not placed: {$reason}
  '9150262822085413854': 'Bestellung nicht angenommen: {$reason}',
  // Problem: {$reason}
  '6483393038340943287': 'Problem: {$reason}',
  // Request over a limit: {$reason}
  '6848340531923916219': 'Anfrage über einer Grenze: {$reason}',
  // Connection cut: {$reason}
  '7395325523495781421': 'Verbindung getrennt: {$reason}',
  // malformed (400)
  '7910940866119956849': 'fehlerhaft (400)',
  // not signed in (401)
  '5520985997119574140': 'nicht angemeldet (401)',
  // not allowed (403)
  '8911797735716721235': 'nicht erlaubt (403)',
  // too slow (408)
  '7492100775975503878': 'zu langsam (408)',
  // out of stock (409)
  '5520618040430640385': 'nicht auf Lager (409)',
  // too large (413)
  '1409410972004369445': 'zu groß (413)',
  // not JSON (415)
  '2488021964941881221': 'kein JSON (415)',
  // wrong host (421)
  '653744630056688786': 'falscher Host (421)',
  // invalid, or an unknown product (422)
  '3350100520449272595': 'ungültig oder unbekanntes Produkt (422)',
  // over a limit (429)
  '5898077677067061408': 'über einer Grenze (429)',
  // the client left (499)
  '3000998984253934634': 'der Client ging (499)',
  // unexpected error (500)
  '8857751170720311418': 'unerwarteter Fehler (500)',
  // a dependency is away (503)
  '297422236309793830': 'eine Abhängigkeit ist weg (503)',
  // of the client address
  '3840222520314209101': 'der Client-Adresse',
  // of the person
  '2276855404520013069': 'der Person',
  // the head did not arrive in time
  '917211990344418043': 'der Kopf kam nicht rechtzeitig',
  // the body did not arrive in time
  '6460983129788661684': 'der Body kam nicht rechtzeitig',
  // incomplete bodies hold too much memory
  '7078241495358140646': 'unvollständige Bodys belegen zu viel Speicher',
  // the client reads nothing
  '370114332295251962': 'der Client liest nichts',
  // limit of open files
  '3227189629185957726': 'Grenze offener Dateien',
  // not HTTP
  '4565622619098485087': 'kein HTTP',
  // Saturation
  '8228400188029177776': 'Auslastung',
  // Of several replicas, the fullest.
  '62528610208531675': 'Von mehreren Replikaten das vollste.',
  // Resource
  '1664620352147673062': 'Ressource',
  // CPU, of a core
  '4520053190665076689': 'CPU, von einem Kern',
  // Memory
  '1548129644093494406': 'Speicher',
  // Open files, of the limit
  '5142850329696704994': 'Offene Dateien, von der Grenze',
  // Messages in flight
  '70377089290627666': 'Nachrichten in Arbeit',
  // Event loop lag, p99
  '7974396132695155853': 'Verzug der Event-Loop, p99',
  // Database connections, of the limit
  '6854939148784330357': 'Datenbankverbindungen, von der Grenze',
  // Statements waiting for one
  '3756245636256563104': 'Anweisungen, die auf eine warten',
  // No service reports its saturation.
  '5141595135349145558': 'Kein Dienst meldet seine Auslastung.',
  // Services
  '7143579180750436311': 'Dienste',
  // Checking
  '5697157670923434360': 'Wird geprüft',
  // Ready
  '6423210280939340786': 'Bereit',
  // Not ready
  '4545113519470533197': 'Nicht bereit',
  // Can’t be reached
  '5120262783899673812': 'Nicht erreichbar',
  // Unavailable
  '5643561794785412000': 'Nicht verfügbar',
  // Up {$seconds}, since {$time}
  '624055324652806507': 'Läuft {$seconds}, seit {$time}',
  // Version {$version}
  '2512296993220019688': 'Version {$version}',
  // Waits for {$dependency}.
  '5425548425542171234': 'Wartet auf {$dependency}.',
  // Unknown
  '4467323362722952678': 'Unbekannt',
  // Partly away
  '720480410559061216': 'Teilweise weg',
  // Reached by {$services}.
  '6835176411607670123': 'Erreichbar für {$services}.',
  // No service reports about it.
  '9203642186989427664': 'Kein Dienst meldet etwas darüber.',
  // Replica {$number}
  '8017216344223734252': 'Replikat {$number}',
  // check passes
  '2870477390723359361': 'Prüfung bestanden',
  // checks pass
  '9095430440446344562': 'Prüfungen bestanden',
  // A load balancer answers: with several replicas, each response is from one of them.
  '991005729424374497': 'Ein Load-Balancer antwortet: Bei mehreren Replikaten ist jede Antwort von einem davon.',
  // No response.
  '7178214498346080682': 'Keine Antwort.',
  // Last 15 minutes
  '6892361549797455305': 'Letzte 15 Minuten',
  // Of the time in which this page was open in this tab. Rates and percentiles cover the preceding minute. Shaded: incidents; dashed upright lines: restarts.
  '967206547130362320':
    'Aus der Zeit, in der diese Seite in diesem Tab offen war. Raten und Perzentile gelten für die Minute davor. Getönt: Störungen; gestrichelte senkrechte Linien: Neustarts.',
  // Not enough data
  '4496572774093976020': 'Nicht genug Daten',
  // The first points appear ten seconds after the page is opened, once there is traffic.
  '5851329354983833828':
    'Die ersten Punkte erscheinen zehn Sekunden nach dem Öffnen der Seite, sobald es Verkehr gibt.',
  // The charts failed to load
  '8416253308408834001': 'Die Diagramme konnten nicht geladen werden',
  // The tables have the same data.
  '8732126368936182151': 'Die Tabellen haben dieselben Daten.',
  // Table
  '1358239534403218079': 'Tabelle',
  // {$chart}, minute by minute
  '7496109093256905486': '{$chart}, Minute für Minute',
  // Time
  '8497528947328199741': 'Zeit',
  // now
  '6052766076365105714': 'jetzt',
  // No data yet.
  '5469106273873277423': 'Noch keine Daten.',
  // Now: {$latest}. Highest: {$highest}.
  '8510678848074755674': 'Jetzt: {$latest}. Höchster Wert: {$highest}.',
  // Orders per minute
  '8164650891079599617': 'Bestellungen je Minute',
  // Placed
  '798725484149372293': 'Bestellt',
  // Refused
  '6459496991878633918': 'Abgelehnt',
  // Failed and refused requests per minute
  '6960227476774582204': 'Gescheiterte und abgelehnte Anfragen je Minute',
  // Latency of placing an order
  '3994292693693948399': 'Latenz beim Bestellen',
  // Duration of sagas
  '2291517972512594796': 'Dauer der Sagas',
  // Messages in queues
  '6105672431163965328': 'Nachrichten in Queues',
  // Processing
  '9155387182259025015': 'Verarbeitung',
  // Dead letters
  '6757504916999401456': 'Dead Letters',
  // Notifications pushed per second
  '5640596513919846163': 'Gesendete Benachrichtigungen je Sekunde',
  // Deliveries
  '1161230956273863021': 'Zustellungen',
  // Queues
  '3773481646951286006': 'Queues',
  // Queue
  '538743482909979705': 'Queue',
  // Visible
  '3712758505200425308': 'Sichtbar',
  // In flight
  '9054510664805618138': 'In Arbeit',
  // Delayed
  '2539989101845088313': 'Verzögert',
  // dead letters
  '5752101099487684030': 'Dead Letters',
  // No service reports a queue.
  '5215443884847347889': 'Kein Dienst meldet eine Queue.',
  // as of {$seconds} ago
  '1893466287466079473': 'von vor {$seconds}',
  // Outboxes and sagas
  '818343048232390423': 'Outboxen und Sagas',
  // Outbox
  '6878271350668507024': 'Outbox',
  // Unsent events
  '5559581552253789961': 'Ungesendete Events',
  // Oldest
  '5844212965736113574': 'Ältestes',
  // No service reports an outbox.
  '2659476039938481056': 'Kein Dienst meldet eine Outbox.',
  // The processing service reports no sagas.
  '5846472560454678670': 'Der Verarbeitungsdienst meldet keine Sagas.',
  // Open sagas
  '2584335514787757650': 'Offene Sagas',
  // Open
  '7593555694782789615': 'Offen',
  // Total
  '3448462145758383019': 'Gesamt',
  // Oldest open saga
  '7086737268315414530': 'Älteste offene Saga',
  // Late, over 30 s
  '6938712630487050277': 'Verspätet, über 30 s',
  // Late orders
  '8434415139925065004': 'Verspätete Bestellungen',
  // No late orders
  '7923470664652395260': 'Keine verspäteten Bestellungen',
  // An order is late when its saga has been open for over 30 s.
  '6592621187956338624': 'Eine Bestellung ist verspätet, wenn ihre Saga über 30 s offen ist.',
  // The late orders are unknown
  '7865535696354337971': 'Die verspäteten Bestellungen sind unbekannt',
  // Order {$orderId}, version {$version}
  '8925252198794077466': 'Bestellung {$orderId}, Version {$version}',
  // Attempts
  '4467730511941715714': 'Versuche',
  // Next attempt
  '8738194540607027234': 'Nächster Versuch',
  // Last error
  '6225327492412483206': 'Letzter Fehler',
  // None: the saga is waiting for its next run.
  '5494521291819369029': 'Keiner: Die Saga wartet auf ihren nächsten Lauf.',
  // Retry now
  '6599854887630038646': 'Jetzt wiederholen',
  // Run the waiting step of order {$orderId} at once?
  '1602726503630899666': 'Den wartenden Schritt von Bestellung {$orderId} sofort ausführen?',
  // Yes, retry
  '9216428210080046205': 'Ja, wiederholen',
  // The waiting step of order {$orderId} is due now.
  '8188021424446201749': 'Der wartende Schritt von Bestellung {$orderId} ist jetzt fällig.',
  // The newest {$shown} of {$late}.
  '8561693623357764040': 'Die neuesten {$shown} von {$late}.',
  // Live push
  '3455286635579000724': 'Live-Push',
  // No notification service reports connections.
  '4671388632469377197': 'Kein Benachrichtigungsdienst meldet Verbindungen.',
  // SSE over HTTP/1.0
  '2145353589369611355': 'SSE über HTTP/1.0',
  // Catching up
  '4068079043851273951': 'Holt auf',
  // Closing
  '4861884708707376551': 'Schließt',
  // Notifications pushed
  '1017584292617734836': 'Gesendete Benachrichtigungen',
  // {$rate} per second
  '5329041808619050739': '{$rate} je Sekunde',
  // Feed lag
  '393325228209921999': 'Feed-Verzug',
  // Connections aborted
  '8073415577423815503': 'Abgebrochene Verbindungen',
  // Connections refused
  '8045359591293457964': 'Abgewiesene Verbindungen',
  // {$total}, {$lastMinute} in the last minute
  '4361150759484033103': '{$total}, {$lastMinute} in der letzten Minute',
  // none
  '5734888861256751765': 'keine',
  // write timeout
  '3947357365174709155': 'Zeitüberschreitung beim Schreiben',
  // too far behind
  '8674671856041035479': 'zu weit zurück',
  // close timeout
  '3032275775973920265': 'Zeitüberschreitung beim Schließen',
  // rate limit exceeded
  '2346615207493486224': 'Ratengrenze überschritten',
  // connection limit of the process
  '5396136307172831267': 'Verbindungsgrenze des Prozesses',
  // connection limit of the address
  '1879778614652828217': 'Verbindungsgrenze der Adresse',
  // draining
  '6006765081919962106': 'wird geleert',
  // feed unavailable
  '5137945024971253186': 'Feed nicht verfügbar',
  // client disconnected
  '6044726923405467948': 'Client getrennt',
  // Break the demo
  '7057933402587254869': 'Demo stören',
  // Watch above how it is noticed, and how the system heals by itself. No order is lost.
  '1163679086748940227':
    'Sieh oben, wie es bemerkt wird und wie sich das System selbst heilt. Keine Bestellung geht verloren.',
  // Place 100 orders
  '9173144708426005531': '100 Bestellungen aufgeben',
  // {$placed} placed.
  '4193905243992727953': '{$placed} aufgegeben.',
  // order was
  '6741407456251954026': 'Bestellung wurde',
  // orders were
  '994123513981557372': 'Bestellungen wurden',
  // {$placed} placed, {$refused} were refused.
  '1222615954258473381': '{$placed} aufgegeben, {$refused} abgelehnt.',
  // Freeze inventory for 20 s
  '6944309823855056168': 'Lager 20 s einfrieren',
  // Suspend the inventory service?
  '2251366193640383531': 'Den Lagerdienst anhalten?',
  // Yes, freeze it
  '2391542958351330536': 'Ja, einfrieren',
  // The inventory service answers nothing for {$seconds} s.
  '8975668230192877740': 'Der Lagerdienst antwortet {$seconds} s lang nicht.',
  // Kill processing
  '7067609710824320750': 'Verarbeitung beenden',
  // Kill the processing service with SIGKILL?
  '5003169599033803183': 'Den Verarbeitungsdienst mit SIGKILL beenden?',
  // Yes, kill it
  '8211268993090690173': 'Ja, beenden',
  // {$count} {$PH_1} started again.
  '8462278475271255257': '{$count} {$PH_1} neu gestartet.',
  // process was killed, and is
  '6037924082319819761': 'Prozess wurde beendet und wird',
  // processes were killed, and are
  '4617624729943736231': 'Prozesse wurden beendet und werden',
  // Messages that could not be processed. Looking receives them, so that others don’t see them for a moment.
  '5955999144798317069':
    'Nachrichten, die nicht verarbeitet werden konnten. Nachsehen empfängt sie, sodass andere sie einen Moment nicht sehen.',
  // Look at {$waiting}
  '8883597993902144709': '{$waiting} ansehen',
  // letter
  '950921470000864385': 'Nachricht',
  // letters
  '8338494318849187170': 'Nachrichten',
  // Look for letters
  '1232889388632124462': 'Nach Nachrichten sehen',
  // Look again
  '8149941055721016983': 'Nochmal nachsehen',
  // No dead letter was found.
  '2398969661890983897': 'Kein Dead Letter gefunden.',
  // {$count} found.
  '6956839541815126887': '{$count} gefunden.',
  // dead letter
  '4873364133331970997': 'Dead Letter',
  // {$type}, order {$subject}
  '8602764916354600850': '{$type}, Bestellung {$subject}',
  // Unreadable message
  '5438533038826082223': 'Unlesbare Nachricht',
  // Sent at
  '4205108236283649076': 'Gesendet',
  // Reason
  '4775550080689015987': 'Grund',
  // None: SQS moved it after too many attempts.
  '7440930253631646285': 'Keiner: SQS hat sie nach zu vielen Versuchen verschoben.',
  // Trace id
  '2658849740901185849': 'Trace-ID',
  // Body
  '1157630416437993334': 'Body',
  // Show
  '8461842260159597706': 'Zeigen',
  // Redrive
  '1044998075150878796': 'Zurücksenden',
  // Send it to its queue again?
  '6589471643793603725': 'Erneut in ihre Queue senden?',
  // Yes, redrive
  '6726573958629113726': 'Ja, zurücksenden',
  // The letter was sent to the queue of the {$service} again.
  '1154506638337482187': 'Die Nachricht wurde erneut in die Queue vom {$service} gesendet.',
  // Discard
  '3823219296477075982': 'Verwerfen',
  // Delete it permanently?
  '7097346057099781978': 'Endgültig löschen?',
  // Yes, discard
  '1546584907961782593': 'Ja, verwerfen',
  // The letter of the {$service} was deleted.
  '5471392662639900778': 'Die Nachricht vom {$service} wurde gelöscht.',
  // It stays: {$detail}
  '7469236376677711693': 'Sie bleibt: {$detail}',
  // The letter is gone, or another reader has it.
  '5799476990946652996': 'Die Nachricht ist weg, oder ein anderer Leser hat sie.',
  // Disconnect a customer
  '6649676012745056666': 'Kunden trennen',
  // Ends the live connections of a customer, who may connect again.
  '1947069870039282809': 'Beendet die Live-Verbindungen eines Kunden, der sich neu verbinden darf.',
  // Customer
  '1642972066115158058': 'Kunde',
  // Disconnect
  '2907016025519254862': 'Trennen',
  // End all connections of {$customer}?
  '3244045025281462157': 'Alle Verbindungen von {$customer} beenden?',
  // Yes, disconnect
  '2580426528528709077': 'Ja, trennen',
  // {$replicas} the connections of {$customer}; {$tickets} withdrawn.
  '1126396781963961730': '{$replicas} die Verbindungen von {$customer}; {$tickets} zurückgezogen.',
  // replica ends
  '3359521888900293222': 'Replikat beendet',
  // replicas end
  '500496329086440216': 'Replikate beenden',
  // unused ticket was
  '4083868558039189609': 'unbenutztes Ticket wurde',
  // unused tickets were
  '6368179369175294090': 'unbenutzte Tickets wurden',
  // Stock
  '4613338085351943838': 'Bestand',
  // Product
  '7616770651914901276': 'Produkt',
  // Find
  '7322373231564004139': 'Suchen',
  // Stock of {$productId}
  '6038948370675717791': 'Bestand von {$productId}',
  // There is no product {$productId}. Stock of a new one
  '8916147131869016883': 'Es gibt kein Produkt {$productId}. Bestand eines neuen',
  // Set stock
  '2551258274832308536': 'Bestand setzen',
  // Add product
  '3822257693851427486': 'Produkt anlegen',
  // The stock of {$productId} was set to {$stock}.
  '4906401393916265106': 'Der Bestand von {$productId} wurde auf {$stock} gesetzt.',
  // The stock was changed meanwhile. The current one is shown: check it and try again.
  '3733731003554693848':
    'Der Bestand wurde inzwischen geändert. Der aktuelle ist gezeigt: Prüfe ihn und versuch es nochmal.',
  // A whole number from 0.
  '3057520326643179855': 'Eine ganze Zahl ab 0.',
  // Find a trace
  '8607818650905993401': 'Trace suchen',
  // The logs are in CloudWatch Logs and in the files of the demo, which a page can’t read. Paste a trace id, for example that of an order, and copy a command that finds its log lines in all services.
  '5378670085019212267':
    'Die Logs sind in CloudWatch Logs und in den Dateien der Demo, die eine Seite nicht lesen kann. Füge eine Trace-ID ein, zum Beispiel die einer Bestellung, und kopiere einen Befehl, der ihre Logzeilen in allen Diensten findet.',
  // Trace id or traceparent
  '39106222749440779': 'Trace-ID oder traceparent',
  // A trace id has 32 hexadecimal digits.
  '4859771580052019623': 'Eine Trace-ID hat 32 hexadezimale Ziffern.',
  // CloudWatch Logs Insights, over the four log groups
  '7835056083459530483': 'CloudWatch Logs Insights, über die vier Log-Gruppen',
  // AWS CLI; for the demo add --endpoint-url
  '8536144854790451562': 'AWS CLI; für die Demo mit --endpoint-url',
  // Log files of the demo
  '1828457132857981900': 'Logdateien der Demo',
  // take stock
  '3762152800317065716': 'Bestand entnehmen',
  // close order
  '1141079047586029033': 'Bestellung abschließen',
  // fail order
  '9028780954275464251': 'Bestellung scheitern lassen',
  // release stock
  '4200839474002539908': 'Bestand freigeben',
  // 1 attempt
  '7156151099204192541': '1 Versuch',
  // {$count} attempts
  '7189016633806359989': '{$count} Versuchen',
  // Orders · Orderstream
  '6843641091241199074': 'Bestellungen · Orderstream',
  // Order {$id} · Orderstream
  '1330623066570006402': 'Bestellung {$id} · Orderstream',
  // My orders
  '8417842421847722492': 'Meine Bestellungen',
  // Orders, newest first
  '7120616603258869219': 'Bestellungen, neueste zuerst',
  // Find orders
  '1262312734800617817': 'Bestellungen suchen',
  // All
  '1616102757855967475': 'Alle',
  // Number begins with
  '1379602237232339227': 'Nummer beginnt mit',
  // Placed from
  '6067463442067143023': 'Aufgegeben ab',
  // Placed before
  '8908995622476291269': 'Aufgegeben vor',
  // Clear
  '8700121026680200191': 'Leeren',
  // Digits, without a leading zero.
  '7033692114499885767': 'Ziffern, ohne führende Null.',
  // Letters, digits, “.”, “_” and “-”; at most 64.
  '6617095737484637354': 'Buchstaben, Ziffern, „.“, „_“ und „-“; höchstens 64.',
  // At most 255 characters.
  '6618721436430447177': 'Höchstens 255 Zeichen.',
  // “{$value}” is unknown.
  '7718898579501979556': '„{$value}“ ist unbekannt.',
  // No such status.
  '2174708517593535223': 'Kein solcher Status.',
  // A date and a time.
  '8543681362063553477': 'Ein Datum und eine Uhrzeit.',
  // Show new orders at once
  '3977472783190601560': 'Neue Bestellungen sofort zeigen',
  // {$count}{$PH_1} new {$PH_2}: show
  '5269001152809579968': '{$count}{$PH_1} neue {$PH_2}: zeigen',
  //  or more
  '1486888484121596847': ' oder mehr',
  // order
  '5827443239842051713': 'Bestellung',
  // orders
  '141920547661781762': 'Bestellungen',
  // Order
  '220550782947016929': 'Bestellung',
  // Items
  '6162691442834560200': 'Positionen',
  // Took
  '4974987996477114234': 'Dauer',
  // open
  '9010413891924313175': 'offen',
  // and {$count} more
  '7107257250259406092': 'und {$count} weitere',
  // Show older orders
  '2679014354344495104': 'Ältere Bestellungen zeigen',
  // Loading orders
  '3238390719574848858': 'Bestellungen werden geladen',
  // There are no orders yet.
  '3658207783354717631': 'Es gibt noch keine Bestellungen.',
  // Place one in the shop.
  '5156076530043729614': 'Gib eine im Shop auf.',
  // Go to the shop
  '7251527037111531684': 'Zum Shop',
  // {$filter} “{$value}”
  '7268907434939878752': '{$filter} „{$value}“',
  // Not understood: {$filters}. Nothing is listed.
  '4239792818453859709': 'Nicht verstanden: {$filters}. Es wird nichts aufgelistet.',
  // No order matches.
  '6749565675169107466': 'Keine Bestellung passt.',
  // No order matches so far; older ones were not searched yet.
  '8709448016933214127': 'Bisher passt keine Bestellung; ältere wurden noch nicht durchsucht.',
  // Searching older orders …
  '8973979333208340711': 'Ältere Bestellungen werden durchsucht …',
  // Show all orders
  '8544206325751474189': 'Alle Bestellungen zeigen',
  // Loading the orders failed.
  '3713549901532681766': 'Die Bestellungen konnten nicht geladen werden.',
  // The list may be out of date.
  '8891436239111376945': 'Die Liste ist vielleicht veraltet.',
  // All orders
  '1923712971895072499': 'Alle Bestellungen',
  // There is no order {$id}.
  '4220772161754768997': 'Es gibt keine Bestellung {$id}.',
  // Check the number; the order may be in another database.
  '8276507386927537908': 'Prüfe die Nummer; vielleicht ist die Bestellung in einer anderen Datenbank.',
  // Placed {$time}
  '4412314910680436249': 'Aufgegeben {$time}',
  // closed after {$duration}
  '5372011681077096505': 'erledigt nach {$duration}',
  // failed after {$duration}
  '389982034180053664': 'gescheitert nach {$duration}',
  // cancelled after {$duration}
  '7522084199668914960': 'storniert nach {$duration}',
  // Why it failed: {$reason}
  '385291270275353800': 'Warum sie scheiterte: {$reason}',
  // Loading the order failed.
  '3449258715325802146': 'Die Bestellung konnte nicht geladen werden.',
  // Unavailable: {$services}.
  '3002590624444669836': 'Nicht verfügbar: {$services}.',
  // Their data is shown as last loaded, or as unknown. The page retries by itself.
  '2634331189504137501':
    'Ihre Daten sind wie zuletzt geladen gezeigt, oder als unbekannt. Die Seite versucht es selbst wieder.',
  //  and
  '8826454553473999816': ' und ',
  // Change or cancel
  '1150250787171938772': 'Ändern oder stornieren',
  // Possible until the order is closed.
  '5363397897177841420': 'Möglich, bis die Bestellung erledigt ist.',
  // The order can no longer be changed.
  '7435509866621982060': 'Die Bestellung kann nicht mehr geändert werden.',
  // Quantity of {$productId}
  '9003235364485544842': 'Menge von {$productId}',
  // A whole number from 1 to {$max}.
  '8971694732265676639': 'Eine ganze Zahl von 1 bis {$max}.',
  // Save quantities
  '4120561001347625025': 'Mengen speichern',
  // Saving …
  '8458878812396683986': 'Speichert …',
  // Cancel the order
  '6347823756372049504': 'Bestellung stornieren',
  // Cancel this order permanently?
  '809860027100242217': 'Diese Bestellung endgültig stornieren?',
  // Yes, cancel it
  '1397048923426157704': 'Ja, stornieren',
  // Keep it
  '2548428183744005636': 'Behalten',
  // Cancelling …
  '8482027388711682856': 'Storniert …',
  // Saved. The order is now version {$version}.
  '2031780798273720332': 'Gespeichert. Die Bestellung ist jetzt Version {$version}.',
  // The order is cancelled. Stock that was taken for it will be released.
  '7237830914362951147': 'Die Bestellung ist storniert. Entnommener Bestand wird freigegeben.',
  // The order was changed meanwhile. The current version is shown: check it and try again.
  '1961200111704005941':
    'Die Bestellung wurde inzwischen geändert. Die aktuelle Version ist gezeigt: Prüfe sie und versuch es nochmal.',
  // Too late: the order is already closed, failed or cancelled.
  '2415245552294789796': 'Zu spät: Die Bestellung ist schon erledigt, gescheitert oder storniert.',
  // Only {$stock} of {$productId} in stock.
  '1613725843001302272': 'Nur {$stock} von {$productId} auf Lager.',
  // {$productId} is no longer sold.
  '7836989771837671593': '{$productId} wird nicht mehr verkauft.',
  // The order was not changed.
  '7080233443050110275': 'Die Bestellung wurde nicht geändert.',
  // The outcome is unknown. The current order is shown.
  '8483654181822642783': 'Der Ausgang ist unbekannt. Die aktuelle Bestellung ist gezeigt.',
  // Sequence of this order
  '6197400866086514513': 'Ablauf dieser Bestellung',
  // Times are relative to the commit of the order. Each is measured by the service where it happens; unmeasured times are omitted. Services work concurrently: the steps are in causal order.
  '8204201520952238519':
    'Zeiten sind relativ zum Commit der Bestellung. Jede misst der Dienst, bei dem es geschieht; nicht gemessene fehlen. Dienste arbeiten gleichzeitig: Die Schritte stehen in kausaler Reihenfolge.',
  // Client
  '3014142150963657456': 'Client',
  // Order service
  '9112368360612113756': 'Bestelldienst',
  // Inventory
  '3010057485486897763': 'Lager',
  // Saga
  '5070131584117394314': 'Saga',
  // Notify
  '3289624441437137063': 'Benachr.',
  // Changed to version {$version}
  '815208199960353354': 'Geändert zu Version {$version}',
  // Pending
  '4416413576346763682': 'Ausstehend',
  // In progress
  '3307214558906712688': 'Läuft',
  // Done
  '397098723873502323': 'Erledigt',
  // Released
  '7879546973853685748': 'Freigegeben',
  // , in {$from}
  '8553263188196710063': ', in {$from}',
  // , from {$from} to {$to}
  '2219814298958954863': ', von {$from} zu {$to}',
  // GET /inventory: in stock?
  '1580435315608133027': 'GET /inventory: auf Lager?',
  // Saved, {$PH}
  '770398873856907716': 'Gespeichert, {$PH}',
  // Event {$PH}
  '7334158514613336811': 'Event {$PH}',
  // Notification {$PH} recorded
  '2114679109190496891': 'Benachrichtigung {$PH} aufgezeichnet',
  // Push {$PH}
  '3535004875373352415': 'Push {$PH}',
  // Saga STARTED
  '8715016796061012865': 'Saga STARTED',
  // over {$protocol}
  '8159903250121377332': 'über {$protocol}',
  // after the commit
  '2720926053479085075': 'nach dem Commit',
  // took {$duration}
  '8240449069964847892': 'dauerte {$duration}',
  // time unknown
  '6438421938259861049': 'Zeit unbekannt',
  // not received by this page
  '5625414700826779603': 'von dieser Seite nicht empfangen',
  // before this page was opened: from the history
  '4890385057763453266': 'vor dem Öffnen dieser Seite: aus dem Verlauf',
  // Late.
  '4123458309060910687': 'Verspätet.',
  // Failed after {$attempts}: {$error}
  '8932688676404551207': 'Gescheitert nach {$attempts}: {$error}',
  // Next attempt at {$time}.
  '8828436437552559387': 'Nächster Versuch um {$time}.',
  // {$done} of {$all} steps done
  '3761804085261775314': '{$done} von {$all} Schritten erledigt',
  // {$status}. {$done} of {$all} steps known as done
  '4297464957060009121': '{$status}. {$done} von {$all} Schritten als erledigt bekannt',
  // Timeline of this order
  '2644732921162313183': 'Zeitlinie dieser Bestellung',
  // To scale: what happens at the same time overlaps. Each time is measured by the service where it happens; ≈ marks those computed from durations.
  '178874303727197382':
    'Maßstäblich: Was gleichzeitig geschieht, überlappt. Jede Zeit misst der Dienst, bei dem es geschieht; ≈ markiert aus Dauern berechnete.',
  // {$title}: superseded by a newer version
  '4630617783383215663': '{$title}: durch eine neuere Version ersetzt',
  // {$after}, for {$took} so far
  '1489472554836688311': '{$after}, bisher {$took}',
  // {$count} attempts.
  '8920524376414538053': '{$count} Versuche.',
  // At most: it was received before the outbox noted that it was sent.
  '7532876985993845469': 'Höchstens: Es kam an, bevor die Outbox vermerkte, dass es gesendet war.',
  // 1 more failed attempt, no longer kept.
  '2263214155160720444': '1 weiterer gescheiterter Versuch, nicht mehr aufbewahrt.',
  // {$count} more failed attempts, no longer kept.
  '2020943380752087844': '{$count} weitere gescheiterte Versuche, nicht mehr aufbewahrt.',
  // Unavailable: the attempt had no effect.
  '5807421507715887566': 'Nicht verfügbar: Der Versuch hatte keine Wirkung.',
  // No answer: it may have had its effect.
  '6298642956907358746': 'Keine Antwort: Vielleicht hatte er seine Wirkung.',
  // An answer that the step can’t have.
  '7661830698261339232': 'Eine Antwort, die es bei diesem Schritt nicht gibt.',
  // A defect of the processing service.
  '4023275234360110734': 'Ein Fehler im Verarbeitungsdienst.',
  // Data
  '146442697456175258': 'Daten',
  // of {$step}
  '2681586404098116514': 'von {$step}',
  // In the outbox, for {$PH}
  '5636455565947952332': 'In der Outbox, für {$PH}',
  // In SQS until notification {$PH} was recorded
  '8537700616200648344': 'In SQS, bis Benachrichtigung {$PH} aufgezeichnet war',
  // Notification {$PH} recorded while its event was in the outbox
  '8256905489959632318': 'Benachrichtigung {$PH} aufgezeichnet, während ihr Ereignis in der Outbox lag',
  // In SQS until the saga started
  '6521909250031775189': 'In SQS, bis die Saga begann',
  // Stock operation: {$PH}
  '6335773369592638450': 'Bestandsoperation: {$PH}',
  // Failed attempt: {$step}
  '5100313655322583022': 'Gescheiterter Versuch: {$step}',
  // Find it in the logs
  '5934731771329191060': 'In den Logs finden',
  // The trace id is part of every call, message and push of the order, and of each log line.
  '8917838693860362272':
    'Die Trace-ID ist Teil jedes Aufrufs, jeder Nachricht und jedes Pushs der Bestellung und jeder Logzeile.',
  // The trace id arrives with the first notification.
  '2787143634203691840': 'Die Trace-ID kommt mit der ersten Benachrichtigung.',
  // In the demo, a terminal
  '4034030240792285971': 'In der Demo, ein Terminal',
  // On AWS, CloudWatch Logs Insights over the four log groups
  '5600403437918837763': 'Auf AWS, CloudWatch Logs Insights über die vier Log-Gruppen',
  // Pages
  '3817498941817715969': 'Seiten',
  // Skip to content
  '3411805131914952915': 'Zum Inhalt springen',
  // Go to an order
  '2079935079676107821': 'Zu einer Bestellung',
  // Order, product, trace
  '8617582620802954201': 'Bestellung, Produkt, Trace',
  // An order number; a product, @customer, a status, a trace id, or a date such as 2026-11-27
  '7715603289439511697':
    'Eine Bestellnummer; ein Produkt, @Kunde, ein Status, eine Trace-ID oder ein Datum wie 2026-11-27',
  // Language
  '2826581353496868063': 'Sprache',
  // Colours
  '4885542694787728767': 'Farben',
  // System
  '29832309535656200': 'System',
  // Light
  '413116577994876478': 'Hell',
  // Dark
  '3892161059518616136': 'Dunkel',
  // Orderstream can’t start
  '3541238729473440445': 'Orderstream kann nicht starten',
  // The configuration of this page can’t be loaded.
  '2096196115018627753': 'Die Konfiguration dieser Seite kann nicht geladen werden.',
  // The page can’t be loaded.
  '2774025086517341315': 'Die Seite kann nicht geladen werden.',
  // Its server may be away, or has another version by now.
  '3576267224470024695': 'Vielleicht ist ihr Server weg oder hat inzwischen eine andere Version.',
  // Its server may be away. The page retries by itself.
  '8007812858480385865': 'Vielleicht ist ihr Server weg. Die Seite versucht es selbst wieder.',
  // Page not found · Orderstream
  '4537054042147986194': 'Seite nicht gefunden · Orderstream',
  // Page not found
  '2275328567992347600': 'Seite nicht gefunden',
  // There is no page at this address.
  '5954855022106168416': 'Unter dieser Adresse gibt es keine Seite.',
  // Offline
  '313850810538580916': 'Offline',
  // , over {$protocol}
  '6058922734752038983': ', über {$protocol}',
  // last heard {$seconds} s ago
  '8971463262220450529': 'zuletzt gehört vor {$seconds} s',
  // last heard {$PH} min ago
  '514964558173448781': 'zuletzt gehört vor {$PH} min',
  // for {$seconds} s
  '2306635433537924806': 'seit {$seconds} s',
  // for {$minutes} min
  '6922101007681877616': 'seit {$minutes} min',
  // not heard yet
  '858676811117077849': 'noch nicht gehört',
  // 1 product
  '5237856896981980912': '1 Produkt',
  // {$count} products
  '7298390649084045870': '{$count} Produkte',
  // Shop
  '1147358182484006761': 'Shop',
  // Shop · Orderstream
  '701054058391459021': 'Shop · Orderstream',
  // Products
  '6707361102856436710': 'Produkte',
  // Find a product
  '8324539752489348805': 'Produkt suchen',
  // {$count} found
  '3518429829177619367': '{$count} gefunden',
  // Loading the stock
  '1116473179901181132': 'Bestand wird geladen',
  // The inventory service answered with an error ({$status}).
  '6866491597980904919': 'Der Lagerdienst hat mit einem Fehler geantwortet ({$status}).',
  // There are no products yet.
  '5235652617144627245': 'Es gibt noch keine Produkte.',
  // Products appear here once they are added to the inventory.
  '5872357943079674727': 'Produkte erscheinen hier, sobald sie im Lager angelegt sind.',
  // No product has “{$text}” in its name or id.
  '3252850317680358311': 'Kein Produkt hat „{$text}“ im Namen oder in der ID.',
  // Show all products
  '5034644575386603703': 'Alle Produkte zeigen',
  // Show {$count} more
  '1119832369274336831': '{$count} weitere zeigen',
  // The search covers only the first {$count}.
  '6117682755056536221': 'Die Suche umfasst nur die ersten {$count}.',
  // in stock
  '7184234660214300840': 'auf Lager',
  // left
  '7449548947549758066': 'übrig',
  // Sold out
  '6664678750303771482': 'Ausverkauft',
  // {$count} in basket
  '6462901629829039422': '{$count} im Warenkorb',
  // Add to basket
  '1716366537733889061': 'In den Korb',
  // {$name}: {$count} in basket
  '3773686548611720044': '{$name}: {$count} im Warenkorb',
  // The basket has the maximum number of products per order.
  '4186365841400298087': 'Der Warenkorb hat die Höchstzahl an Produkten je Bestellung.',
  // Basket
  '3063584675827027533': 'Warenkorb',
  // Basket is empty
  '4801779268321391529': 'Warenkorb ist leer',
  // Basket: {$count}
  '7494622724079813984': 'Warenkorb: {$count}',
  // This browser stores nothing for this page: the basket lasts as long as this tab shows it.
  '675913142829472841':
    'Dieser Browser speichert nichts für diese Seite: Der Warenkorb bleibt, solange dieser Tab sie zeigt.',
  // Your basket is empty.
  '5684403199024728696': 'Dein Warenkorb ist leer.',
  // Add one or several products and order them together.
  '5338113641263811166': 'Lege ein oder mehrere Produkte hinein und bestelle sie zusammen.',
  // Quantity of {$name}
  '6871436763362797084': 'Menge von {$name}',
  // One less of {$name}
  '3240127042867198689': 'Eins weniger von {$name}',
  // One more of {$name}
  '2378212235314351903': 'Eins mehr von {$name}',
  // Remove
  '4814285799071780083': 'Entfernen',
  // Remove {$name}
  '6195145639963313026': '{$name} entfernen',
  // {$name} removed from the basket
  '6681100427478615653': '{$name} aus dem Warenkorb entfernt',
  // Only {$stock} in stock.
  '5045799943088978134': 'Nur {$stock} auf Lager.',
  // Sold out.
  '1397867016024030185': 'Ausverkauft.',
  // This product is no longer sold.
  '2177325174864006225': 'Dieses Produkt wird nicht mehr verkauft.',
  // Take {$stock}
  '3582233372520624257': '{$stock} nehmen',
  // Take {$stock} of {$name}
  '6260173892445504195': '{$stock} von {$name} nehmen',
  // 1 piece
  '7276592126935538780': '1 Stück',
  // {$count} pieces
  '1712210302988896133': '{$count} Stück',
  // Place order
  '8453860874637355542': 'Bestellen',
  // Placing order …
  '5608512828472207690': 'Bestellt …',
  // Order {$orderId} is placed.
  '8577807088108320223': 'Bestellung {$orderId} ist aufgegeben.',
  // View the order
  '7274329316706446886': 'Bestellung ansehen',
  // The order was not placed.
  '8857531108551288005': 'Die Bestellung wurde nicht aufgegeben.',
  // See the marked products.
  '6090378926842049591': 'Siehe die markierten Produkte.',
  // It is unknown whether the order was placed.
  '8711693645421488411': 'Es ist unbekannt, ob die Bestellung aufgegeben wurde.',
  // Trying again is safe: a retry never places a second order.
  '739990166792263678': 'Nochmal zu versuchen ist sicher: Das ergibt nie eine zweite Bestellung.',
  // The {$service} had an error.
  '1100488698043616928': 'Der {$service} hatte einen Fehler.',
  // The order was not placed. Your basket is unchanged.
  '6606647539609202091': 'Die Bestellung wurde nicht aufgegeben. Dein Warenkorb ist unverändert.',
  // : no sign-in
  '2199170616576219920': ': keine Anmeldung',
  // Account: {$name}, {$role}
  '7960620044753590910': 'Konto: {$name}, {$role}',
  // Operator
  '1179184907489210406': 'Betreiber',
  // Viewer
  '6239936537351977310': 'Betrachter',
  // Sign in
  '5207635742003539443': 'Anmelden',
  // Sign in again
  '4991358387795601748': 'Neu anmelden',
  // Sign out
  '2949848596707725099': 'Abmelden',
  // Use another account
  '1765739240333511171': 'Anderes Konto verwenden',
  // Connecting to the sign-in service …
  '8967543656600362566': 'Verbindet mit dem Anmeldedienst …',
  // Signed out
  '8727624727564381286': 'Abgemeldet',
  // You are signed out.
  '4397983192210789031': 'Du bist abgemeldet.',
  // Signed in
  '5552188917755177585': 'Angemeldet',
  // You are signed in again. You can close this window.
  '6371711952587576283': 'Du bist wieder angemeldet. Du kannst dieses Fenster schließen.',
  // Sign-in failed
  '112043256687195551': 'Anmeldung gescheitert',
  // The sign-in service can’t be reached.
  '5792371642634984183': 'Der Anmeldedienst ist nicht erreichbar.',
  // Signing in needs a page over HTTPS.
  '6721477653758701419': 'Anmelden geht nur auf einer Seite über HTTPS.',
  // This browser blocks the site data of this page. Signing in needs them: allow them, and try again.
  '4066311543061255115':
    'Dieser Browser blockiert die Websitedaten dieser Seite. Die Anmeldung braucht sie: Erlaube sie und versuch es nochmal.',
  // The sign-in service refused: {$code}.
  '4167995370561562490': 'Der Anmeldedienst hat abgelehnt: {$code}.',
  // Your sign-in has ended.
  '5418713723073721781': 'Deine Anmeldung ist abgelaufen.',
  // Sign in again to continue. What you have entered stays.
  '8001673634099773547': 'Melde dich neu an, um fortzufahren. Deine Eingaben bleiben.',
  // The page retries by itself, and shows what was last loaded.
  '6169400719344711753': 'Die Seite versucht es selbst wieder und zeigt, was zuletzt geladen wurde.',
  // Your sign-in has ended. Sign in again.
  '7428463148032615603': 'Deine Anmeldung ist abgelaufen. Melde dich neu an.',
  // Not for this account
  '8173199228817241109': 'Nicht für dieses Konto',
  // This page is for operators and viewers.
  '484525512850619034': 'Diese Seite ist für Betreiber und Betrachter.',
  // You are signed in as {$name}, with the role {$role}.
  '363157638405209925': 'Du bist als {$name} angemeldet, mit der Rolle {$role}.',
};
